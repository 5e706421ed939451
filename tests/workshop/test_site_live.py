"""The web site's live trainer in Node: its losses and slopes are PyTorch's, and it learns what PyTorch learns."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from lab_formulas import DRAW, SETTINGS, lab_faults
from live_slopes import faults, settings_of, slope_cases

from lm_utils.data import load_data
from lm_utils.files import PROJECT
from lm_utils.model import TinyCNN
from lm_utils.pairing import Pairing
from lm_utils.training import fit
from lm_utils.workshop.publish.site_data import write_live

LIVE = PROJECT / "site" / "_static" / "live"
SEEDS = 3


def node(script: str) -> object:
    """What a module prints as JSON, run by Node."""
    if shutil.which("node") is None:
        pytest.skip("needs Node.js; `apt-get install nodejs` on Debian and Ubuntu")
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_losses_and_slopes_are_those_of_pytorch(tmp_path):
    cases = slope_cases()
    (tmp_path / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    modules = ", ".join(f"{name}: await import('{LIVE / name}.js')" for name in ("losses", "network", "training"))
    found = node(
        "import { readFileSync } from 'fs';"
        f"import {{ differences }} from '{PROJECT}/tests/live_slopes.mjs';"
        f"const cases = JSON.parse(readFileSync('{tmp_path}/cases.json'));"
        f"console.log(JSON.stringify(differences(cases, {{ {modules} }})));"
    )
    assert len(found) == len(cases) > 200
    assert faults(cases, found) == []


def test_the_labs_of_the_site_draw_the_curves_of_the_notebooks():
    drawn = node(
        "import { readFileSync } from 'fs'; import { runInThisContext } from 'vm';"
        f"runInThisContext(readFileSync('{LIVE.parent}/labs/formulas.js', 'utf8'));"
        f"console.log(runInThisContext('{DRAW}')({json.dumps(SETTINGS)}));"
    )
    assert list(lab_faults(drawn)) == []
    drawn["floors_lab"][0]["panels"][0]["curves"]["softmax → CrossEntropyLoss"][3] += 1e-3
    assert len(list(lab_faults(drawn))) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The trainer with its data."""
    folder = tmp_path_factory.mktemp("site") / "live"
    shutil.copytree(LIVE, folder)
    write_live(folder)
    return folder


def trained(folder: Path, pairing: Pairing, seed: int, lr: float = 0.01, epochs: int = 15) -> float:
    """The best metric that the page's trainer reaches on the validation images."""
    settings = json.dumps(settings_of(pairing, lr, epochs, seed))
    return node(
        "import { readFileSync } from 'fs';"
        f"import {{ readDigits, train }} from '{folder}/training.js';"
        f"const told = JSON.parse(readFileSync('{folder}/tasks.json'));"
        f"const data = readDigits(readFileSync('{folder}/digits.bin'), told.digits);"
        f"const records = [...train({settings}, told.tasks.{pairing.task}, data)];"
        "console.log(JSON.stringify(records.at(-1).metric));"
    )


def test_the_data_are_small(folder):
    assert (folder / "digits.bin").stat().st_size < 300_000
    assert (folder / "tasks.json").stat().st_size < 10_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pairing", "tolerance"),
    [
        (Pairing("multiclass", "cross_entropy"), 0.02),
        (Pairing("multiclass", "bce", "sigmoid"), 0.03),
        (Pairing("multiclass", "bce", "sigmoid", prior_bias=True), 0.02),
        (Pairing("multilabel", "bce", "softmax"), 0.03),
    ],
    ids=lambda one: getattr(one, "label", ""),
)
def test_it_learns_what_pytorch_learns(folder, pairing, tolerance):
    data = load_data("digits", seed=0)
    runs = [fit(pairing, data, seed, 15, 15, network=TinyCNN).history[-1]["valid_metric"] for seed in range(SEEDS)]
    pages = [trained(folder, pairing, seed) for seed in range(SEEDS)]
    assert abs(sorted(runs)[1] - sorted(pages)[1]) < tolerance, (runs, pages)
