"""`PYTHONPATH=tests python -m doctor_exam.page` writes docs/doctor-score.md from the stored runs of the exam."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS, PAGE = ROOT / "results" / "doctor", ROOT / "docs" / "doctor-score.md"
MEANING = {
    "known": "known while the doctor was built",
    "new": "rebuilt from public threads before mending, then mended for",
    "held out": "rebuilt at the same time, not looked at while mending",
    "late": "written after mending, from threads not read before",
    "fresh": "second round, written before mending again, then mended for",
    "last": "third round, written after all mending; scored once",
    "study": "programs of a published study of silent bugs, then mended for",
}
HEAD = """# How often is the doctor right?

Written by `python -m doctor_exam.page` from stored runs of `python -m doctor_exam.score`
(both with `PYTHONPATH=tests`; torch {torch}). *Named*: the cause is among the errors and warnings.
*Silent*: plain PyTorch raises no error and gives no warning.
A crash is an exception of the doctor's own, or no answer within twenty seconds.

| set-ups | wrong: named | silent: named | PyTorch: error, warning | right: error | right: warning | crashes |
| --- | --- | --- | --- | --- | --- | --- |
"""
LIMITS = """
The same hand wrote the set-ups and the checks, and it knew the checks when it wrote the third round. That flatters.
What you will meet lies nearest to the last two sets: the third round, and the programs of the study before mending.
Those are the printed programs of PYSIASSIST (SANER 2024, 365 posts of the PyTorch forum) whose bug one step can show.
A public thread stands behind {threads} of the wrong set-ups; the others are own code. One right set-up
of the held-out third (a reverse divergence) came to light in a test and was mended for before that third was scored.
One expectation of the second round was put right when its first score was seen: the norm of a difference that is zero
has a zero gradient, not an infinite one.

## Other tools

Three packages that look at a training step were run on the same set-ups (`python -m doctor_exam.peers`): the first
rounds are the new, held-out and late set-ups, the later ones those of the second and third round and of the study.
Counted is whether they say *anything* beyond PyTorch's own words; they were not asked to name the cause. A tool that
speaks of right set-ups as often as of wrong ones tells nothing.

| tool | rounds | asked for | silent wrong ones | right ones | could not run |
| --- | --- | --- | --- | --- | --- |
{tools}

{static}

## What it costs

One diagnosis in training steps (forward, backward, Adam) of the same model on the same batch ({device}): the
least of five, taken in turns. On models of a few hundred weights Python itself weighs more.

| model | weights | training steps |
| --- | --- | --- |
{speeds}

## What it does not see

Set-ups of the held-out, late, second, third and study sets whose cause is not among its errors and warnings. Where a
detach cuts off a part, it says so as an info (`weights_without_gradient`), since many cut on purpose:

"""
ALARMS = """
## Where it was wrong about a right one

What could be mended was mended afterwards; the counts above stay as they were measured.

"""


def share(part: int, whole: int) -> str:
    """Return a count with its share."""
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def line(name: str, run: dict) -> str:
    """Return one row of the table."""
    found, rows = run["counts"], [row for row in run["rows"] if row["expected"]]
    said = [sum(row["pytorch"] == word for row in rows) for word in ("error", "warning")]
    cells = [f"{name}", share(found["named"], found["wrong"]), share(found["silent named"], found["silent"]),
             f"{said[0]}, {said[1]}", share(found["alarms"], found["right"]),
             share(found["warnings"], found["right"]), str(found["crashes"])]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def peers(run: dict, rounds: str) -> str:
    """Return the rows of the other tools."""
    return "\n".join(
        f"| {tool['name']} | {rounds} | {tool['with']} | {share(tool['silent spoken of'], run['silent'])} | "
        f"{share(tool['right spoken of'], run['right'])} | {tool['could not run']} of {run['wrong'] + run['right']} |"
        for tool in run["tools"]
    )


def static(run: dict) -> str:
    """Return the sentence about the tool that reads code without running it."""
    said = "; ".join(f"{one['says']} ({one['code']})" for one in run["findings"])
    return (f"{run['name']} reads code and runs nothing. With `{run['with']}` it says {len(run['findings'])} thing\n"
            f"about the {run['files']} files of set-ups without the study's, and no cause: {said}.")  # fmt: skip


def page(
    before: dict,
    first: dict,
    earlier: dict,
    study: dict,
    now: dict,
    others: dict,
    later: dict,
    torchfix: dict,
    speed: dict,
) -> str:
    """Return the page: counts before and after each round of mending, misses and alarms."""
    text = HEAD.format(torch=now["torch"])
    old = {**before["sets"], "late": first["sets"]["late"], **earlier["sets"], **study["sets"]}
    for name, run in now["sets"].items():
        if name in old:
            text += line(f"{MEANING[name]}: *{'when written' if name == 'late' else 'before'}*", old[name])
        text += line(f"{MEANING[name]}: **{'after' if name in old else 'once'}**", run)
    rows = [row for name in ("held out", "late", "fresh", "last", "study") for row in now["sets"][name]["rows"]]
    causes = [row["source"] for run in now["sets"].values() for row in run["rows"] if row["expected"]]
    missed = [f"- {row['name']} ({row['source']})" for row in rows if row["expected"] and not row["named"]]
    wrong = [f"- {row['name']}: {', '.join(row['errors'] + row['warnings'])}" for row in rows
             if not row["expected"] and (row["errors"] or row["warnings"])]  # fmt: skip
    threads = share(sum(source not in ("", "own") for source in causes), len(causes))
    misses, alarms = "\n".join(missed), "\n".join(wrong or ["None in these sets."])
    costs = [f"| {row['model']} | {row['weights']:,} | {row['steps']} |" for row in speed["rows"]]
    limits = LIMITS.format(
        tools=f"{peers(others, 'first')}\n{peers(later, 'later')}",
        static=static(torchfix),
        threads=threads,
        device=speed["device"],
        speeds="\n".join(costs),
    )
    return f"{text}{limits}{misses}\n{ALARMS}{alarms}\n"


def runs() -> list[dict]:
    """Return the stored runs in the order that `page` takes them."""
    names = ["before", "after", "fresh_before", "study_before", "third_round", "peers", "later_peers", "torchfix",
             "speed"]  # fmt: skip
    return [json.loads((RUNS / f"{name}.json").read_text(encoding="utf-8")) for name in names]


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(*runs()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
