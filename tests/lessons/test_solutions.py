"""The teacher's edition runs from top to bottom, and every solution in it is right."""

import json
import re

import pytest
from made_up_runs import made_up

from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import LIMITS
from lm_utils.runs.store import Store
from lm_utils.workshop.publish import notebooks
from lm_utils.workshop.run_all import command as runner

OWN = {  # a run of the reader's own for the loss table of each task's notebook
    "08_regression": Pairing("regression", "mae", normalize=True),
    "09_probability": Pairing("probability", "mse", "sigmoid"),
    "10_binary": Pairing("binary", "mse", "softmax"),
    "11_multi_class": Pairing("multiclass", "bce_logits", "softmax"),
    "12_multi_label": Pairing("multilabel", "mse", "softmax"),
}
NAMES = sorted(path.stem for path in (notebooks.ROOT / "notebooks" / "src").glob("*.py"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The folder of the executed teacher's edition, and what came of each notebook."""
    folder = tmp_path_factory.mktemp("solutions")
    (folder / "notebooks").mkdir()
    for path, text in notebooks.teacher_files().items():
        (folder / "notebooks" / path.name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LM_CACHE_DIR", str(folder / "cache"))
        for pairing in OWN.values():
            store = Store()
            store.put(store.path(pairing, 0, "digits", "cpu", LIMITS), made_up(pairing, 0, 0.77, data="digits"))
        report = runner.run_all(
            notebooks=folder / "notebooks",
            out=folder / "out",
            train=lambda settings, numbers: runner.Trained("digits", "cpu"),
        )
    return folder / "out", {entry["name"]: entry for entry in report["notebooks"]}


def verdicts(path):
    """What the checks of an executed notebook said."""
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            text = "".join(output.get("data", {}).get("text/plain", ""))
            if text.startswith(("✓ ", "✗ ", "… ")):
                yield text


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_every_solution_is_right(executed, name):
    out, entries = executed
    assert entries[name]["status"] == "ok", entries[name]["error"]
    said = list(verdicts(out / f"{name}.ipynb"))
    assert len(said) >= 2
    assert [text for text in said if not text.startswith("✓ Right")] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_the_readers_own_runs_stand_apart_from_the_shipped_ones(executed, name):
    cells = json.loads((executed[0] / f"{name}.ipynb").read_text("utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    shown = ["".join(output.get("text/plain", "")) for output in outputs]
    mine = [text for text in shown if "Runs: yours: embedded digits" in text]
    assert len(mine) == 1 and re.search(r"(77\.00 %|0\.770) \(one run\)", mine[0]) and "reference" not in mine[0]
    assert any("Runs: reference: MNIST, 10 seeds" in text for text in shown)
