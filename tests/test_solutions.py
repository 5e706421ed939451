"""The teacher's edition runs from top to bottom, and every solution in it is right."""

import json

import pytest

from lm_utils.experiments import run_all as runner
from lm_utils.publish import notebooks

NAMES = sorted(path.stem for path in (notebooks.ROOT / "notebooks" / "src").glob("*.py"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The folder of the executed teacher's edition, and what came of each notebook."""
    folder = tmp_path_factory.mktemp("solutions")
    (folder / "notebooks").mkdir()
    for path, text in notebooks.teacher_files().items():
        (folder / "notebooks" / path.name).write_text(text, "utf-8")
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
