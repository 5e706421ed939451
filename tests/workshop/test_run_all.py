"""run-all tells the truth about every way in which a notebook can go wrong, and leaves nothing behind."""

import contextlib
import errno
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import nbformat
import psutil
import pytest
from helpers import until
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from yardstick import crowding

from lm_utils.__main__ import main as command
from lm_utils.files import write_whole
from lm_utils.runs import rows
from lm_utils.workshop.publish import notebooks
from lm_utils.workshop.run_all import command as runner
from lm_utils.workshop.run_all import forecast, forks
from lm_utils.workshop.run_all import notebook as execution
from lm_utils.workshop.run_all import process as watched
from lm_utils.workshop.run_all import report as run_report
from lm_utils.workshop.run_all.pages import CODE_OR_FORMULA, notebook_page, with_formulas

CELLS = {
    "00_good": [
        "from IPython.display import Markdown\nimport ipywidgets as w",
        "w.HBox([w.FloatSlider(description='rate', value=0.5), w.HTML('<b>still here</b>')])",
        "Markdown(f'$x^2$ with {data}, {seeds} seeds, {device}')",
    ],
    "01_error": ["x = 1", "# why\nimport math\nmath.sqrt(-x)", "x"],
    "02_killed": ["import os", "os.kill(os.getpid(), 9)", "1"],
    "03_hidden": ["import ipywidgets as w\nout = w.Output()\nw.VBox([out])", "with out:\n    raise KeyError('lost')"],
    "04_interactive": [
        "import ipywidgets as w\ns = w.IntSlider()",
        "w.VBox([s, w.interactive_output(lambda s: 1 / s, {'s': s})])",
    ],
    "05_exit": ["import sys\nsys.exit(0)", "print('never')"],
    "06_thread": [
        "import threading",
        "def work():\n    raise LookupError('in a thread')",
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()",
    ],
    "07_loop": [
        "import threading, subprocess",
        "def forever():\n    while True:\n        pass",
        "threading.Thread(target=forever).start()\nsubprocess.Popen(['sleep', '600'], start_new_session=True).pid",
    ],
    "08_from_outside": ["import os", "os.kill(os.getppid(), 9)", "1"],
    "10_like_any": [
        "import sys\n'torch' in sys.modules",
        "import multiprocessing, os, torch",
        "[os.getcwd(), os.environ['OMP_NUM_THREADS'], torch.get_num_threads(), multiprocessing.get_start_method()]",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])[0].get_label()",
        "[__name__, sys.argv[1:2], os.read(0, 1)]",
        "from lm_utils.lessons.output_activations import reach_figure\nreach_figure().made_by.co_qualname",
    ],
}
FAULTS = {
    "01_error": "code cell 3 (`math.sqrt(-x)`): ValueError:",
    "02_killed": "code cell 3 (`os.kill(os.getpid(), 9)`): the kernel died.",
    "03_hidden": "a widget hides KeyError: 'lost'",
    "04_interactive": "code cell 3 (`w.VBox([s, w.interactive_output(lambda s: 1 / s, {'s'",
    "05_exit": "SystemExit",
    "06_thread": "a thread ended with LookupError: in a thread",
    "08_from_outside": "code cell 3 (`os.kill(os.getppid(), 9)`): its process was ended from outside (SIGKILL; often",
    "09_empty": "Notebook does not appear to be JSON",
}
SETTINGS = run_report.Settings("digits", 3, "cpu", None, False, limit=900.0, idle_limit=90.0)


def put(folder, name, cells):
    parameters = nbformat.v4.new_code_cell('data, seeds, device = "auto", 3, "auto"', metadata={"tags": ["parameters"]})
    title = nbformat.v4.new_markdown_cell(f"# {name[:2]} The {name[3:]} one")
    notebook = nbformat.v4.new_notebook(cells=[title, parameters, *map(nbformat.v4.new_code_cell, cells)])
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


def nothing_to_train(settings, numbers):
    return run_report.Trained("digits", "cpu", trained=1, reused=2)


def run(folder, train=nothing_to_train, **options):
    return runner.run_all(notebooks=folder / "nb", out=folder / "out", train=train, **options)


def stored_report(folder):
    return json.loads((folder / "out" / "report.json").read_text("utf-8"))


def statuses(report):
    return {entry["name"]: entry["status"] for entry in report["notebooks"]}


@pytest.fixture(scope="module")
def mark():
    """A sign that every process started by this module carries."""
    os.environ["LM_TEST_MARK"] = uuid.uuid4().hex
    yield os.environ["LM_TEST_MARK"]
    del os.environ["LM_TEST_MARK"]


def marked(mark):
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid()
            helper = any("multiprocessing.resource_tracker" in word for word in process.cmdline())  # ends with us
            if alive and process.environ().get("LM_TEST_MARK") == mark and not helper:
                found.append(process)
    return found


@pytest.fixture
def start(mark):
    """A function that starts a run-all in a process of its own; after the test nothing of them all is left."""
    started = []

    def start_one(folder, *arguments):
        command = [sys.executable, "-c", SCRIPT, str(folder), *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=watched.PROJECT))
        return started[-1]

    yield start_one
    for process in [*started, *marked(mark)]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    for process in started:
        process.communicate()


@pytest.fixture
def quiet(tmp_path, monkeypatch):
    """A place where nobody writes results or edits the package meanwhile, so that only the notebooks' changes count."""
    monkeypatch.setattr(watched, "PROJECT", tmp_path)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, mark):
    """One run over notebooks with every fault; a good output of the killed one lies there from before."""
    folder = tmp_path_factory.mktemp("faulty")
    for name, cells in CELLS.items():
        put(folder / "nb", name, cells)
    (folder / "nb" / "09_empty.ipynb").touch()
    (folder / "out").mkdir()
    (folder / "out" / "02_killed.ipynb").write_text("the old good output")
    (folder / "out" / ".02_killed.part.ipynb").write_text("left by a run that was killed")
    return folder, run(folder, jobs=4)


@pytest.mark.slow
def test_report_keeps_its_promised_form(faulty):
    folder, report = faulty
    assert json.loads((folder / "out" / "report.json").read_text()) == report
    names = ["ok", "seconds", "device", "data", "seeds", "trained_runs", "reused_runs", "notebooks"]
    assert list(report) == names
    assert [report[name] for name in names[2:7]] == ["cpu", "digits", 1, 1, 2]
    assert list(report["notebooks"][0]) == ["name", "status", "seconds", "cells", "error"]
    assert not report["ok"]
    good = report["notebooks"][0]
    assert good["name"] == "00_good" and good["status"] == "ok" and good["error"] is None and good["cells"] == 4


@pytest.mark.slow
@pytest.mark.parametrize("name, words", FAULTS.items())
def test_every_fault_is_found_and_its_cell_named(faulty, name, words):
    entry = next(entry for entry in faulty[1]["notebooks"] if entry["name"] == name)
    assert entry["status"] == "failed" and words in entry["error"]


@pytest.mark.slow
def test_a_loop_in_a_thread_ends_with_its_notebook_and_no_process_is_left(faulty, mark):
    assert statuses(faulty[1])["07_loop"] == "ok"
    assert marked(mark) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")
def test_a_kernel_that_is_a_fork_has_everything_imported_and_is_else_like_any(faulty, tmp_path):
    runner.run_all(notebooks=faulty[0] / "nb", out=tmp_path, train=nothing_to_train, only=["10"])  # too few for forks
    fork, usual = (nbformat.read(str(out / "10_like_any.ipynb"), 4).cells for out in (faulty[0] / "out", tmp_path))
    assert [cells[3].outputs[0].data["text/plain"] for cells in (fork, usual)] == ["True", "False"]
    assert [cell.outputs for cell in fork[4:]] == [cell.outputs for cell in usual[4:]]
    assert "image/png" in fork[6].outputs[1].data
    assert fork[8].outputs[0].data["text/plain"] == "'reach_figure'"  # "Show the code" names no function of run-all


def test_where_a_fork_fails_another_one_is_tried_and_other_systems_have_none(tmp_path, monkeypatch):
    refused = []

    def start(process):
        if not refused:
            refused.append(process)
            raise EOFError
        usual(process)

    put(tmp_path / "nb", "00_good", ["1"])
    (tmp_path / "out").mkdir()
    usual = BaseProcess.start
    monkeypatch.setattr(BaseProcess, "start", start)
    report = run_report.Report(tmp_path / "out", SETTINGS, [], [])
    report.trained = nothing_to_train(None, None)
    context = multiprocessing.get_context("spawn")
    assert (
        watched.Watched(tmp_path / "nb" / "00_good.ipynb", report, threading.Event(), context).run().status == "ok"
        and refused
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    with forks.processes(notebooks=18) as context:
        assert context.get_start_method() == "spawn"


@pytest.mark.slow
def test_old_good_outputs_stay_failed_ones_are_put_aside_and_nothing_half_written_is_left(faulty):
    out = faulty[0] / "out"
    assert (out / "02_killed.ipynb").read_text() == "the old good output"
    assert (out / "failed" / "01_error.ipynb").exists() and not (out / "01_error.ipynb").exists()
    assert not list(out.rglob("*.part*"))


@pytest.mark.slow
def test_pages_are_readable_without_jupyter_and_ask_nobody(faulty):
    out = faulty[0] / "out"
    page = (out / "00_good.html").read_text("utf-8")
    assert "rate 0.5" in page and "<b>still here</b>" in page
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in page and "with digits, 1 seeds, cpu" in page
    index = (out / "index.html").read_text("utf-8")
    assert "The killed one" in index and "the kernel died" in index
    for target in re.findall(r'href="([^"]+\.html)"', index):
        assert (out / target).exists()
    for file in out.rglob("*.html"):
        text = file.read_text("utf-8")
        assert "<script" not in text and not re.search(r'(src|href)="(?!data:|#|[\w./]+")', text), file


@pytest.mark.slow
def test_after_a_failure_only_what_is_not_good_runs_again_and_after_success_all_do(tmp_path, quiet):
    put(tmp_path / "nb", "00_good", ["1"])
    put(tmp_path / "nb", "01_other", ["1 / 0"])
    good, other = tmp_path / "out" / "00_good.ipynb", tmp_path / "out" / "01_other.ipynb"
    assert statuses(run(tmp_path)) == {"00_good": "ok", "01_other": "failed"}
    first = good.stat().st_mtime_ns
    put(tmp_path / "nb", "01_other", ["1 / 1"])
    report = run(tmp_path)
    assert report["ok"] and good.stat().st_mtime_ns == first and other.exists()
    assert report["notebooks"][0]["cells"] == 2
    assert not list((tmp_path / "out" / "failed").iterdir())
    assert statuses(run(tmp_path, only=["0"])) == {"00_good": "ok", "01_other": "skipped"}
    assert good.stat().st_mtime_ns > first


UNTRAINED = [
    (ValueError("MNIST cannot be had:\nno network"), "The training of the runs failed: MNIST cannot be had:"),
    (KeyboardInterrupt(), "The training of the runs was interrupted; what is finished is stored"),
    (OSError(errno.ENOSPC, "No space left on device"), "The training of the runs failed: [Errno 28] No space left"),
    (RuntimeError("CUDA error"), "The training of the runs failed: RuntimeError: CUDA error"),
]


def broken(error, then=lambda: None):
    """A training that breaks off."""

    def train(settings, numbers):
        then()
        raise error

    return train


@pytest.mark.slow
def test_a_training_that_does_not_end_takes_the_old_verdict_back(tmp_path):
    put(tmp_path / "nb", "00_good", ["1"])
    before, written = run(tmp_path), tmp_path / "out" / "report.json"
    old, verdict = (tmp_path / "out" / "00_good.ipynb").read_bytes(), written.read_bytes()
    for error, words in UNTRAINED[:3]:
        written.write_bytes(verdict)
        assert before["ok"] and stored_report(tmp_path)["ok"]
        seen = []
        with pytest.raises(type(error)):
            run(tmp_path, broken(error, then=lambda seen=seen: seen.append(stored_report(tmp_path))), data="digits")
        after = stored_report(tmp_path)
        for report in (*seen, after):
            assert not report["ok"] and statuses(report) == {"00_good": "skipped"} and list(report) == list(before)
            assert [report[name] for name in ("device", "data", "seeds", "trained_runs")] == ["auto", "digits", 1, 0]
        assert seen[0]["notebooks"][0]["error"].startswith("The training of the runs had not ended")  # as after a kill
        assert after["notebooks"][0]["error"].startswith(words)
        index = (tmp_path / "out" / "index.html").read_text("utf-8")
        assert "Not every notebook ran through." in index and "The training of the runs" in index
        assert (tmp_path / "out" / "00_good.ipynb").read_bytes() == old
    again = run(tmp_path)
    assert again["ok"] and stored_report(tmp_path)["ok"] and again["notebooks"][0]["error"] is None


@pytest.mark.slow
def test_after_an_interrupted_training_only_what_is_not_good_runs_again_unless_runs_changed(tmp_path, quiet):
    def trained_as(runs):
        return lambda settings, numbers: run_report.Trained("digits", "cpu", runs=runs)

    put(tmp_path / "nb", "00_good", ["1"])
    put(tmp_path / "nb", "01_other", ["1 / 0"])
    good = tmp_path / "out" / "00_good.ipynb"
    run(tmp_path, trained_as("some"))
    first = good.stat().st_mtime_ns
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, broken(KeyboardInterrupt()))
    assert statuses(run(tmp_path, trained_as("some"))) == {"00_good": "ok", "01_other": "failed"}
    assert good.stat().st_mtime_ns == first
    with pytest.raises(KeyboardInterrupt):  # as FRESH=1 that got as far as some of the runs
        run(tmp_path, broken(KeyboardInterrupt()), fresh=True)
    put(tmp_path / "nb", "01_other", ["1 / 1"])
    assert run(tmp_path, trained_as("others"))["ok"] and good.stat().st_mtime_ns > first


@pytest.mark.parametrize("error, words", UNTRAINED)
def test_what_ended_a_training_stands_at_the_chosen_notebooks(tmp_path, error, words):
    put(tmp_path / "nb", "00_good", ["1"])
    put(tmp_path / "nb", "01_other", ["1"])
    with pytest.raises(type(error)):
        run(tmp_path, broken(error), only=["1"])
    other, chosen = stored_report(tmp_path)["notebooks"]
    assert other["error"] is None and chosen["error"].startswith(words) and "\n" not in chosen["error"]


def test_a_disk_that_is_full_after_training_hides_neither_the_error_nor_the_truth(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    put(tmp_path / "nb", "00_good", ["1"])
    with pytest.raises(ValueError, match="Runs cannot be stored"):
        error = ValueError("Runs cannot be stored")
        run(tmp_path, broken(error, then=lambda: monkeypatch.setattr(run_report, "write_whole", full)))
    report = stored_report(tmp_path)
    assert not report["ok"] and report["notebooks"][0]["error"].startswith("The training of the runs had not ended")


def test_a_process_that_cannot_be_started_is_its_notebooks_failure_alone(tmp_path, monkeypatch):
    def exhausted(*_, **__):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    put(tmp_path / "nb", "00_one", ["1"])
    put(tmp_path / "nb", "01_other", ["1"])
    monkeypatch.setattr(BaseProcess, "start", exhausted)
    report = run(tmp_path)
    assert statuses(report) == {"00_one": "failed", "01_other": "failed"} and stored_report(tmp_path) == report
    assert "its process could not be started (" in report["notebooks"][0]["error"]


def test_the_report_on_disk_grows_with_every_notebook(tmp_path):
    put(tmp_path / "nb", "00_one", ["1"])
    put(tmp_path / "nb", "01_other", ["1"])
    (tmp_path / "out").mkdir()
    report = run_report.Report(tmp_path / "out", SETTINGS, *[sorted((tmp_path / "nb").iterdir())] * 2)
    report.add(run_report.Outcome("00_one", "ok"))
    assert statuses(stored_report(tmp_path)) == {"00_one": "ok", "01_other": "skipped"}


def test_what_a_training_writes_meanwhile_disturbs_no_fingerprint(tmp_path, monkeypatch):
    def told():
        return watched.fingerprint(notebook, run_report.Trained("digits", "cpu"), SETTINGS)

    notebook, results = tmp_path / "00_one.ipynb", tmp_path / "results"
    notebook.write_text("{}")
    results.mkdir()
    monkeypatch.setattr(watched, "PROJECT", tmp_path)
    before = told()
    (results / "runs.csv.123.part").touch()
    (results / "runs.csv").symlink_to("gone")  # as a file that is gone before it is looked at
    assert told() == before
    (results / "runs.csv").unlink()
    (results / "runs.csv").touch()
    assert told() != before


def test_a_notebook_that_is_no_notebook_has_its_name_as_title_and_is_not_still_good(tmp_path):
    for content in ("", "[]", '{"cells": [1]}', '{"cells": null}', '{"metadata": null}'):
        path = tmp_path / "00_one.ipynb"
        path.write_text(content)
        assert run_report.title_of(path) == "00_one"
        assert watched.still_good([path], tmp_path, nothing_to_train(None, None), SETTINGS) == {}


def test_folders_are_the_same_for_a_notebook_though_it_works_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LM_CACHE_DIR", "here")
    monkeypatch.setenv("LM_DATA_DIR", "~/data")
    notebook = watched.Watched(tmp_path / "00_one.ipynb", run_report.Report(tmp_path, SETTINGS, [], []), None, None)
    given = notebook.environment(tmp_path / "scratch")
    assert (given["LM_CACHE_DIR"], given["LM_DATA_DIR"]) == (str(tmp_path / "here"), str(Path.home() / "data"))


def with_streams(*pieces):
    """A cell that wrote these pieces, each to the stream that it names."""
    outputs = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in pieces]
    return nbformat.v4.new_code_cell("begin()", execution_count=1, outputs=outputs)


DIED = "Exception in thread Thread-5 (work):\nTraceback (most recent call last):\n"
LINE = '  File "loop.py", line 3, in work\n'


@pytest.mark.parametrize(
    "pieces, told",
    [
        ([("stderr", DIED), ("stdout", "epoch 1\n"), ("stderr", f"{LINE}lm_utils.training.Stopped\n")], "lm_utils.tr"),
        (
            [("stderr", f"{DIED}{LINE}\nDuring handling of the above exception, another …:\n\nKeyError: 1\n")],
            "KeyError",
        ),
        ([("stderr", "Exception in thread T:\n  + Exception Group Traceback\n  | ValueError\n")], "an error"),
    ],
)
def test_a_thread_that_died_is_found_in_whatever_pieces_it_says_so(pieces, told):
    notebook = nbformat.v4.new_notebook(cells=[with_streams(*pieces)])
    assert execution.first_problem(notebook).startswith(f"code cell 1 (`begin()`): a thread ended with {told}")


def test_talk_of_threads_is_no_fault():
    pieces = [("stdout", f"{DIED}{LINE}KeyError: 1\n"), ("stderr", "an Exception in thread 3\nKeyError\n")]
    assert execution.first_problem(nbformat.v4.new_notebook(cells=[with_streams(*pieces)])) == ""


@pytest.mark.parametrize(
    "what, words", [("IOPub output", "It hung at code cell 1 (`1`): its"), ("a reply", "longer than")]
)
def test_an_output_that_does_not_arrive_is_a_hang_and_not_a_long_cell(tmp_path, monkeypatch, what, words):
    def execute(source, part, on_cell_start, **_):
        on_cell_start(cell, 0)
        raise CellTimeoutError.error_from_timeout_and_cell(f"Timeout waiting for {what}", 4, cell)

    cell = nbformat.v4.new_code_cell("1")
    monkeypatch.setattr("papermill.execute_notebook", execute)
    assert words in execution.run_papermill(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {}, lambda name: None)


@pytest.mark.parametrize("folder", ["/tmp/short", "/tmp/" + "long" * 20])
def test_an_output_is_waited_for_longer_than_four_seconds(monkeypatch, folder):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", folder)
    client = NotebookClient(nbformat.v4.new_notebook(), config=execution.kernel_config())
    assert client.iopub_timeout == 60 and run_report.IDLE_LIMIT > 60


@pytest.mark.slow
def test_a_notebook_that_takes_too_long_or_hangs_is_ended(tmp_path, mark):
    put(tmp_path / "usual" / "nb", "00_good", ["1"])
    usual = run(tmp_path / "usual")["notebooks"][0]["seconds"]  # on this machine, busy as it is
    put(tmp_path / "nb", "00_busy", ["while True:\n    pass"])
    put(tmp_path / "nb", "01_hang", ["import time", "time.sleep(600)"])
    limit = max(25.0, 5 * usual)
    entries = run(tmp_path, limit=limit, idle_limit=3 * crowding())["notebooks"]
    assert [entry["status"] for entry in entries] == ["timeout", "timeout"]
    assert "code cell 2 (`while True:`)" in entries[0]["error"] and f"longer than {limit:g} s" in entries[0]["error"]
    assert "It hung at code cell 3 (`time.sleep(600)`)" in entries[1]["error"]
    assert marked(mark) == [] and not list((tmp_path / "out").rglob("*.part*"))


@pytest.mark.slow
def test_a_notebook_that_was_good_once_and_then_took_too_long_runs_again(tmp_path):
    flag = tmp_path / "flag"
    put(tmp_path / "nb", "00_busy", [f"import pathlib\nwhile pathlib.Path({str(flag)!r}).exists():\n    pass"])
    assert run(tmp_path)["ok"]
    first = (tmp_path / "out" / "00_busy.ipynb").stat().st_mtime_ns
    flag.touch()
    assert statuses(run(tmp_path, limit=8.0)) == {"00_busy": "timeout"}
    assert (tmp_path / "out" / "00_busy.ipynb").stat().st_mtime_ns == first  # the good output stays
    flag.unlink()
    assert run(tmp_path)["ok"] and (tmp_path / "out" / "00_busy.ipynb").stat().st_mtime_ns > first


SCRIPT = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in its background ignore it
from lm_utils.workshop.run_all import command, report
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
folder = Path(sys.argv[1])
train = lambda settings, numbers: report.Trained("digits", "cpu")
try:
    command.run_all(notebooks=folder / "nb", out=folder / "out", train=train)
except KeyboardInterrupt:
    sys.exit(130)
except ValueError as error:
    print(error)
    sys.exit(2)
"""


@pytest.fixture
def long(tmp_path):
    """Notebooks of which the first is quick and the second starts a process of its own and never ends."""
    put(tmp_path / "nb", "00_quick", ["1"])
    body = f"""
    import pathlib, subprocess
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    pathlib.Path({str(tmp_path / "begun")!r}).touch()
    while True: pass
    """
    put(tmp_path / "nb", "01_long", [textwrap.dedent(body)])
    return tmp_path


def begun(folder):
    return lambda: (folder / "begun").exists() and (folder / "out" / "00_quick.ipynb").exists()


@pytest.mark.alone  # it holds a promise in seconds
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals work otherwise on Windows")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_everything_within_five_seconds_and_keeps_what_is_done(long, start, mark, how):
    if how == signal.SIGINT:
        put(long / "nb", "02_more", ["1"])  # enough for forks
    process = start(long)
    until(begun(long), 300)
    begin = time.monotonic()
    with pytest.raises(ValueError, match="Another run-all is at work"):
        run(long)
    assert time.monotonic() - begin < crowding(), "a second run-all is refused at once"
    process.send_signal(how)
    until(lambda: process.poll() is not None and marked(mark) == [], 5 * crowding())
    assert process.returncode == 130 and "Interrupted" in process.stdout.read()
    report = json.loads((long / "out" / "report.json").read_text())
    assert not report["ok"] and statuses(report)["01_long"] == "skipped"
    assert (long / "out" / "00_quick.ipynb").exists() and not list((long / "out").rglob("*.part*"))


@pytest.mark.alone  # it holds a promise in seconds
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals work otherwise on Windows")
@pytest.mark.parametrize("more", [[], ["02_more"]], ids=["processes", "forks"])
def test_even_a_killed_run_all_leaves_neither_a_process_nor_a_folder(long, start, mark, more):
    for name in more:
        put(long / "nb", name, ["1"])
    process = start(long)
    until(begun(long), 300)
    orphans = [each for each in marked(mark) if "sleep" not in each.name()]  # that one was set free by the notebook
    folders = {Path(each.environ().get("JUPYTER_RUNTIME_DIR", long / "none")) for each in marked(mark)}
    assert any(folder.exists() for folder in folders)
    process.kill()
    process.wait()
    until(lambda: not {*orphans} & {*marked(mark)} and not any(map(Path.exists, folders)), 5 * crowding())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="file size limits work otherwise on Windows")
def test_a_full_disk_is_one_sentence_with_the_path_and_nothing_half_written(tmp_path, start):
    put(tmp_path / "nb", "00_large", ["'x' * 200_000", "import random\nprint('y' * 1_000_000)"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "00_large.ipynb").write_text("old")
    process = start(tmp_path, "150000")
    words = process.communicate(timeout=300)[0].strip().splitlines()
    assert process.returncode == 2
    assert words[-1].startswith(f"Cannot write {tmp_path / 'out'}") and words[-1].endswith("then run again.")
    assert (tmp_path / "out" / "00_large.ipynb").read_text() == "old"
    assert not list((tmp_path / "out").rglob("*.part*"))


def test_a_page_on_a_read_only_file_system_names_its_path(tmp_path, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_whole(tmp_path / "page.html", "text")
    assert caught.value.filename == str(tmp_path / "page.html")


def test_a_folder_that_cannot_be_written_is_one_sentence_with_the_path(tmp_path):
    put(tmp_path / "nb", "00_good", ["1"])
    (tmp_path / "file").write_text("no folder")
    where = tmp_path / "file" / "run-all"
    with pytest.raises(ValueError, match=f"^Cannot write {re.escape(str(where))}: .*run again.$"):
        runner.run_all(notebooks=tmp_path / "nb", out=where, train=nothing_to_train)
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o555)
        with pytest.raises(ValueError, match=r"Cannot write .*locked.*Permission denied"):
            runner.run_all(notebooks=tmp_path / "nb", out=tmp_path / "locked" / "a", train=nothing_to_train)


def test_an_unknown_notebook_is_one_sentence(tmp_path):
    put(tmp_path / "nb", "00_good", ["1"])
    with pytest.raises(ValueError, match="ONLY names the notebook '99', which does not exist; there are 00"):
        run(tmp_path, only=["99"])
    assert not (tmp_path / "out").exists()


def test_no_notebooks_at_all(tmp_path):
    with pytest.raises(ValueError, match="make notebooks"):
        run(tmp_path)


@pytest.mark.parametrize("arguments", [["--only=99"], ["--seeds=0"], ["--data=foo"], ["--device=tpu"]])
def test_the_command_says_it_too(arguments, capsys):
    with contextlib.suppress(SystemExit):
        assert command(["run-all", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_missing_gpu_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    put(tmp_path / "nb", "00_good", ["1"])
    with pytest.raises(ValueError, match="no GPU"):
        runner.run_all(device="cuda", notebooks=tmp_path / "nb", out=tmp_path / "out")


def test_formulas_become_mathml_and_code_stays():
    text = with_formulas(r"`$a$` costs 3 $ or 4 $, $\frac{a}{b}$ and $$\begin{aligned}a &= b\\ &= c\end{aligned}$$")
    assert text.startswith("`$a$` costs 3 $ or 4 $, <math") and "<mfrac>" in text
    assert text.count("<math") == 2 and text.count("<mtr>") == 2 and "<mi>&</mi>" not in text
    for unknown in (r"\unknownsign", r"\frac{"):
        assert with_formulas(f"${unknown}$") == f"<code>{unknown}</code>"


def test_every_formula_of_the_course_becomes_mathml():
    cells = [cell for path in notebooks.sources() for cell in notebooks.build(path).cells]
    formulas = [
        found[0]
        for cell in cells
        for found in CODE_OR_FORMULA.finditer(cell.source)
        if cell.cell_type == "markdown" and not found["code"]
    ]
    assert len(formulas) > 150
    assert [one for one in formulas if not with_formulas(one).strip().startswith("<math")] == []


def test_links_between_notebooks_lead_to_pages():
    cell = nbformat.v4.new_markdown_cell("[next](01_losses.ipynb) and [part](02_why.ipynb#part)")
    page = notebook_page(nbformat.v4.new_notebook(cells=[cell]), "00_start")
    assert 'href="01_losses.html"' in page and 'href="02_why.html#part"' in page


@pytest.mark.slow
def test_training_asks_for_the_rows_whose_own_figures_the_notebooks_show(monkeypatch, capsys):
    asked = {}

    def sweep_entries(pairings, seeds, on_run, **options):
        asked.update(pairings=set(pairings), seeds=list(seeds), **options)
        on_run({})
        return [{}, {}, {}]

    monkeypatch.setattr("lm_utils.runs.sweep.sweep_entries", sweep_entries)
    settings = replace(SETTINGS, seeds=2)
    trained = runner.train_missing(settings, ["03", "08", "11"])
    assert (trained.data, trained.device, trained.trained, trained.reused) == ("digits", "cpu", 1, 2)
    shown = {row.pairing for task in ("regression", "multiclass") for row in rows.rows(task, "loss")}
    assert asked["pairings"] == shown and asked["seeds"] == [0, 1]
    assert trained.runs and not runner.train_missing(settings, ["03", "15"]).runs
    first = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch(r"About \d+ min if nothing else runs: \d+ trainings, then 3 notebooks\.", first), first


def test_the_forecast_counts_what_is_missing(monkeypatch, tmp_path, digits):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(forecast, "seconds_per_epoch", lambda splits: 1.0)
    pairings = [row.pairing for row in rows.rows("binary", "loss")]

    def told(seeds, notebooks):
        settings = replace(SETTINGS, seeds=seeds, jobs=1)
        return forecast.forecast(settings, digits, "cpu", pairings, notebooks)

    epochs = len(pairings) * forecast.EPOCHS
    words = f"min if nothing else runs: {len(pairings)} trainings, then 0 notebooks."
    assert told(1, 0) == f"About {epochs / 60:.0f} {words}"
    assert told(4, 0).startswith(f"About {4 * epochs / 60:.0f} min")
    assert told(1, 3).startswith(f"About {(epochs + 3 * forecast.NOTEBOOK) / 60:.0f} min")


def test_executing_a_notebook_builds_no_grammar_of_addresses():
    code = "import sys, lm_utils.workshop.run_all.notebook as n; print('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
