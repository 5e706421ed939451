"""`PYTHONPATH=tests python -m doctor_exam.page` writes docs/doctor-score.md from the stored runs of the exam."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS, PAGE = ROOT / "results" / "doctor", ROOT / "docs" / "doctor-score.md"
LAST = "twenty-second"  # the round that stays unseen while the doctor is mended
MEANING = {
    "known": "own, known while the doctor was built",
    "new": "first round, from threads, mended for",
    "held out": "first round, not looked at while mending",
    "late": "first round, written after mending",
    "fresh": "second round",
    "last": "third round",
    "study": "programs of a published study",
    "fourth": "fourth round, by another hand",
    "fifth": "fifth round, by another hand",
    "sixth": "sixth round, of listed searches",
    "seventh": "seventh round, of listed searches",
    "eighth": "eighth round, by one who knew the checks",
    "ninth": "ninth round, every fitting thread of fifty searches",
    "tenth": "tenth round, of twenty other searches",
    "eleventh": "eleventh round, of fifty-seven searches",
    "twelfth": "twelfth round, of twenty-four searches",
    "thirteenth": "thirteenth round, of searches in three fields",
    "fourteenth": "fourteenth round, of other searches in the same fields",
    "fifteenth": "fifteenth round, of further searches in these fields",
    "sixteenth": "sixteenth round, of searches by symptom",
    "eighteenth": "eighteenth round, by learners, projects, engineers",
    "nineteenth": "nineteenth round, of anybody's searches",
    "seventeenth": "seventeenth round, by learners, projects, engineers",
    "twentieth": "twentieth round, of searches about losses, with what PyTorch refuses",
    "twenty-first": "twenty-first round, of such searches, silent ones",
    "twenty-second": "**twenty-second round, of the questions asked most, not seen while mending**",
    "twenty-third": "twenty-third round, ordinary right ones",
    "twenty-fourth": "twenty-fourth round, ordinary right ones",
    "twenty-fifth": "**twenty-fifth round, the plainest right ones, not seen while mending**",
    "twenty-sixth": "**twenty-sixth round, further plain right ones, not seen while mending**",
}
HEAD = """# How often is the doctor right?

**On the last wrong set-ups that nobody who mended it had seen: {unseen}.
On plain right ones, first seen (twenty-fifth and twenty-sixth round): {plain}.
On the right ones of the five rounds before, rarer ones among them, when first seen: {alarms}.**

Written by `python -m doctor_exam.page` from stored runs of `python -m doctor_exam.score`
(both with `PYTHONPATH=tests`; torch {torch}). *Named*: the cause is among the errors and warnings.
*Silent*: plain PyTorch raises no error and gives no warning.
*First*: when the doctor first saw them, before anything was mended for them. *Now*: with the checks as they are; so a
right one that stands at 0 now may have had an alarm that was mended. A crash is an exception of the doctor's own, or no
answer within twenty seconds.

| set-ups | named: first | now | silent named: first | now | right, with an error, a warning: first | now | crashes |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
LIMITS = """
One hand wrote the set-ups of the first three rounds and the checks. That flatters. From the fourth round on the writers
did not know the checks, but for the eighth; up to the eighth they chose among what they found, and they liked rare
formulas. From the ninth on the rounds are a systematic sample of what people run into: searches written down before
the first of them is made, their hits in order, and every thread kept in which an answer or the code shows a cause that
lies in the model, the loss or the first batch, with the names that would say it, all before the first run.
The eleventh was run twice before anybody mended for it: {eleventh} at first, and {again} after the checks had been gone
through by principles (`tests/doctor/test_principles.py` holds each with a wrong instance and its right neighbour).
The thirteenth to the fifteenth searched in three fields (pictures; texts, sounds and tables; makers, agents, numbers).
When it first saw them the doctor named {thirteenth}, {fourteenth} and {fifteenth}. The sixteenth to the nineteenth
search by symptom, in the words that people type. First seen: {sixteenth} of the sixteenth, {eighteenth} of the
eighteenth, {nineteenth} of the nineteenth. The doctor was then mended in three ways: for their misses and false alarms,
always by a principle that holds for other spellings too; for the same set-ups in other spellings
(`python -m doctor_exam.spelling` writes a cross-entropy by hand, packs outputs into a dictionary, and so on); and for
threads that were recalled from memory, which are not kept. Nobody who mended had seen the seventeenth, which was
written with the sixteenth and run at the end: {seventeenth}; the doctor as it was before the sixteenth names {before}.

How hard a round is, the doctor of the first day tells (commit f32480cf, 21 November). An outside sample of public
threads, which is not published, had 115 wrong set-ups; that doctor named 69 (60 %) of them, and 39 of the 82 silent
ones (48 %). It names {start seventeenth} of the seventeenth round, {start twentieth} of the twentieth and
{start twenty-first} of the twenty-first. These two searched for losses that do not fit, the twentieth with what PyTorch
refuses, the twenty-first without. So what a search brings up is harder than that sample. The twenty-second asked its
writers for the questions that practitioners ask most, before they looked anything up. The first doctor names
{start twenty-second} of them, {start silent} of the silent ones: as many as of the outside sample. The doctor that
had not been mended for them names {twenty-second} and {silent}. In all rounds from the thirteenth on, the doctor of the
time named {kept} of what the first one names and {gained} of what it misses. What stays unseen is mostly
a formula wrong in itself (a sum before a logarithm, an argument in another's place, a factor that only scales), which
no look at layers and shapes can show.

The twenty-third and the twenty-fourth hold right set-ups alone, as tutorials, libraries and students write them; the
twenty-fourth takes what the twenty-third left, so rarer ones. Some of the warnings are deserved (unscaled inputs, a
head that nothing reads, an LSTM that reads padding to its end); they count all the same. Then the doctor was mended
against some eight hundred further right set-ups, which are not kept. The twenty-fifth, by five other writers, holds
what is trained most often: each of them wrote down the thirty commonest kinds of a field and then made them all.
The twenty-sixth is alike, twenty kinds by each of five others, written while the one error of the twenty-fifth was
mended: products of two embeddings that happened to stay above zero.

A name was counted only where it is one of those that the writer had set down, or a special one of the same cause
that writers were not told of (`sigmoid_before_bce_logits` for `bounded_logits`, `nll_on_logits` for `unbounded_loss`;
first scores up to the nineteenth stay without the latter). Four set-ups of the eleventh
and the twelfth round got a further name that says their cause; their first scores stay without it. The study's are
the printed programs of PYSIASSIST (SANER 2024, 365 posts of the PyTorch forum) whose bug one step can show. A public
thread stands behind {threads} of the wrong set-ups; the others are own code,
or questions known from memory.

## Other tools

Three packages that look at a training step were run on the set-ups up to the fifteenth round
(`python -m doctor_exam.peers`), {wrong} wrong and {right} right ones: all but the known. Counted is whether they say
*anything* beyond PyTorch's own words; they were not asked to name the cause. A tool that speaks of right set-ups as
often as of wrong ones tells nothing.

| tool | asked for | silent wrong ones | right ones | could not run |
| --- | --- | --- | --- | --- |
{tools}

{static}

## What it costs

One diagnosis in training steps (forward, backward, Adam) of the same model on the same batch ({device}): the
least of five, taken in turns. On models of a few thousand weights Python itself weighs more.

| model | weights | training steps |
| --- | --- | --- |
{speeds}

## What it does not see

Set-ups of all sets but the known and the new one whose cause is not among its errors and warnings:

"""
ALARMS = """
## Where it was wrong about a right one

What could be mended was mended afterwards; the counts above stay as they were measured.

"""


def share(part: int, whole: int) -> str:
    """Return a count with its share, with a decimal where it is below one in a hundred."""
    percent = 100 * part / whole if whole else 0
    return f"{part} of {whole} ({percent:.{int(0 < percent < 1)}f} %)" if whole else "none"


def line(name: str, first: dict[str, int], now: dict[str, int]) -> str:
    """Return one row of the table."""
    both = [(share(c["named"], c["wrong"]), share(c["silent named"], c["silent"]), alarmed(c)) for c in (first, now)]
    cells = [MEANING[name], *(cell for pair in zip(*both, strict=True) for cell in pair),
             f"{first['crashes']}, {now['crashes']}"]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def alarmed(found: dict[str, int]) -> str:
    """Return on how many right set-ups the doctor finds an error, and on how many it warns."""
    return f"{found['alarms']}, {found['warnings']} of {found['right']}"


def peers(run: dict) -> str:
    """Return the rows of the other tools."""
    return "\n".join(
        f"| {tool['name']} | {tool['with']} | {share(tool['silent spoken of'], run['silent'])} | "
        f"{share(tool['right spoken of'], run['right'])} | {tool['could not run']} of {run['wrong'] + run['right']} |"
        for tool in run["tools"]
    )


def static(run: dict) -> str:
    """Return the sentence about the tool that reads code without running it."""
    said = "; ".join(f"{one['says']} ({one['code']})" for one in run["findings"])
    return (f"{run['name']} reads code and runs nothing. With `{run['with']}` it says {len(run['findings'])} thing\n"
            f"about the {run['files']} files of the exam, and no cause: {said}.")  # fmt: skip


def page(run: dict[str, dict]) -> str:
    """Return the page: the score when first seen and now, misses and alarms."""
    now, first = ({name: one["counts"] for name, one in run[file]["sets"].items()} for file in ("now", "first_seen"))
    sets = run["now"]["sets"]
    text = HEAD.format(
        torch=run["now"]["torch"],
        unseen=unseen(first[LAST]),
        plain=alarms_first([first["twenty-fifth"], first["twenty-sixth"]]),
        alarms=alarms_first([first[f"twent{name}"] for name in ("ieth", "y-first", "y-second", "y-third", "y-fourth")]),
    )
    text += "".join(line(name, first[name], now[name]) for name in sets)
    rows = [row for name, found in sets.items() if name not in ("known", "new") for row in found["rows"]]
    causes = [row["source"] for found in sets.values() for row in found["rows"] if row["expected"]]
    missed = [f"- {row['name']} ({row['source']})" for row in rows if row["expected"] and not row["named"]]
    wrong = [f"- {row['name']}: {', '.join(row['errors'] + row['warnings'])}" for row in rows
             if not row["expected"] and (row["errors"] or row["warnings"])]  # fmt: skip
    again = {name: found["counts"] for name, found in run["unseen_again"]["sets"].items()}
    named = {name: share(found["named"], found["wrong"]) for name, found in first.items()}
    start = {name: one["counts"] for name, one in run["start"]["sets"].items()}
    then = {(name, row["name"]): row["named"] for name in start for row in run["first_seen"]["sets"][name]["rows"]}
    earlier = [(row["named"], then[name, row["name"]]) for name, found in run["start"]["sets"].items()
               for row in found["rows"] if row["expected"]]  # fmt: skip
    misses, alarms = "\n".join(missed), "\n".join(wrong or ["None in these sets."])
    costs = [f"| {row['model']} | {row['weights']:,} | {row['steps']} |" for row in run["speed"]["rows"]]
    limits = LIMITS.format(
        **{name: named[name] for name in first},
        **{f"start {name}": share(found["named"], found["wrong"]) for name, found in start.items()},
        **{
            f"{when}silent": share(found[LAST]["silent named"], found[LAST]["silent"])
            for when, found in (("start ", start), ("", first))
        },
        **{
            word: share(sum(seen for was, seen in earlier if was == known), sum(was == known for was, _ in earlier))
            for word, known in (("kept", True), ("gained", False))
        },
        **{
            name: share(again[of]["named"], again[of]["wrong"])
            for name, of in (("again", "eleventh"), ("before", "seventeenth"))
        },
        tools=peers(run["peers"]),
        wrong=run["peers"]["wrong"],
        right=run["peers"]["right"],
        static=static(run["torchfix"]),
        threads=share(sum(source not in ("", "own", "recalled") for source in causes), len(causes)),
        device=run["speed"]["device"],
        speeds="\n".join(costs),
    )
    return f"{text}{limits}{misses}\n{ALARMS}{alarms}\n"


def alarms_first(rounds: list[dict[str, int]]) -> str:
    """Return how many right set-ups of these rounds got an alarm when they were first seen."""
    errors, warnings, right = (sum(found[key] for found in rounds) for key in ("alarms", "warnings", "right"))
    return f"{share(errors, right)} with an error, {share(warnings, right)} with a warning"


def unseen(found: dict[str, int]) -> str:
    """Return the score of set-ups when they were first seen, as part of a sentence."""
    return (f"{share(found['named'], found['wrong'])} named, {share(found['silent named'], found['silent'])} of the "
            f"silent ones,\n{found['crashes']} crashes")  # fmt: skip


def runs() -> dict[str, dict]:
    """Return the stored runs by the names of their files."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(RUNS.glob("*.json"))}


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(runs()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
