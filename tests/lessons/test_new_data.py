"""The question of new data in notebook 15: asked, drawn and answered from runs alone."""

from made_up_runs import made_up

from lm_utils.evidence.claims import conditions
from lm_utils.evidence.results import tested_digits as digits_of_the_test
from lm_utils.lessons import new_data
from lm_utils.pairing import Pairing
from lm_utils.runs.conditions import OTHER_HAND
from lm_utils.show.style import Shown

TWICE = Pairing("multiclass", "cross_entropy", "softmax")


def families(low):
    """Made-up runs on new data; the misfit is this much lower with few images."""
    gaps = {("images-2000", "cross_entropy-softmax"): 0, ("images-50", "cross_entropy-softmax"): low}
    worlds = [
        (world, name)
        for world in ("images-2000", "images-50")
        for name in ("cross_entropy-none", "cross_entropy-softmax")
    ]
    return {
        f"{world}/{name}": [
            {"condition": f"{world}/{name}", "title": world,
             "shifted": {"turned": {"accuracy": 0.8 - 0.1 * (name != "cross_entropy-none"), "nll": 0.5}},
             **made_up(TWICE, 100 + i, 0.9 + 0.001 * i - gaps.get((world, name), 0))}
            for i in range(10)
        ]
        for world, name in worlds
    }  # fmt: skip


def test_new_data_is_a_question_only_once_it_was_measured(monkeypatch):
    monkeypatch.setattr(new_data, "under_conditions", lambda family, data: {})
    assert "Not measured yet" in new_data.figure().data
    assert "your own answer" in new_data.question().data
    monkeypatch.setattr(new_data, "under_conditions", lambda family, data: families(0.05))
    assert new_data.question().answer == "turned or noisy test images"
    assert isinstance(new_data.figure(), Shown)
    monkeypatch.setattr(new_data, "under_conditions", lambda family, data: families(0.2))
    assert new_data.question().answer == "few training images"


def without_shifts(families):
    """The same runs, tested at home alone."""
    return {name: [{**run, "shifted": {}} for run in runs] for name, runs in families.items()}


def test_a_misfit_that_is_worse_nowhere_is_said_to_be_so(monkeypatch):
    monkeypatch.setattr(new_data, "under_conditions", lambda family, data: without_shifts(families(0.0)))
    assert new_data.question().answer == new_data.NOWHERE


def test_other_settings_are_drawn_once_they_were_measured(monkeypatch):
    monkeypatch.setattr(new_data, "under_conditions", lambda family, data: {})
    assert "Not measured yet" in new_data.settings().data
    assert "none was measured yet" in new_data.settings_sentence().data
    rules = {
        f"rules/{name}": [
            {"condition": f"rules/{name}", "seed": i, "data": "mnist", "title": "rules",
             "rules": {rule: {"accuracy": 0.9 - low} for rule in ("metric", "loss", "budget")}}
            for i in range(10)
        ]
        for name, low in (("cross_entropy-none", 0.0), ("cross_entropy-softmax", 0.02))
    }  # fmt: skip
    found = {"new-data": families(0.05), "stopping": rules}
    monkeypatch.setattr(new_data, "under_conditions", lambda family, data: found[family])
    assert "Of 4 comparisons, judged together: **3 worse, 1 practically equal**" in new_data.settings_sentence().data
    alt = new_data.settings().figure.get_label()
    assert "least validation loss, patience 10 -2.00" in alt and "0.001, as everywhere else +0.00" in alt


def tried_again(scores):
    """Made-up runs of what stood out: softmax once at 0.9, softmax twice at these accuracies."""
    return {
        f"{kind}/{name}": [
            {"condition": f"{kind}/{name}", "title": kind, "seed": 200 + i, "data": "mnist", "test_metric": score}
            for i, score in enumerate(own)
        ]
        for kind in ("images-50", "imbalance-10")
        for name, own in (("cross_entropy-none", [0.9] * len(scores)), ("cross_entropy-softmax", scores))
    }


def test_what_stood_out_is_told_run_by_run(monkeypatch):
    for place in (new_data, conditions):
        monkeypatch.setattr(place, "under_conditions", lambda family, data: {})
    assert "Not measured yet" in new_data.confirmation().data
    runs = tried_again([0.5 + 0.01 * i for i in range(10)])
    for place in (new_data, conditions):
        monkeypatch.setattr(place, "under_conditions", lambda family, data: runs)
    told = new_data.confirmation().data
    assert told.count("**worse**") == 2
    assert "imbalance-10**: softmax twice less softmax once \N{MINUS SIGN}35.50 points" in told
    assert "softmax twice, images-50: 50 to 59 % in 10 runs" in new_data.confirmation_figure().get_label()


def test_the_shipped_runs_say_what_the_readme_and_notebook_15_say_of_them():
    rare = conditions.under_conditions("confirmation", "mnist")["imbalance-10/cross_entropy-softmax"]
    common = (digits_of_the_test("mnist") < 5).float().mean().item()
    assert sum(abs(run["test_metric"] - common) < 0.02 for run in rare) > len(rare) / 2
    home = conditions.new_data_comparisons(conditions.under_conditions("new-data", "mnist"))
    assert home[conditions.TWICE, "2,000 training images"].verdict == "practically equal"
    assert [c.verdict for c in conditions.once_and_twice("mnist").values()] == ["worse", "worse"]
    noisy = [c for (name, world), c in home.items() if name == conditions.TWICE and "labels at random" in world]
    assert len(noisy) == 2 and all(c.difference.low > 0 for c in noisy)
    assert all(new_data.far_behind("mnist", "confirmation").values())
    few, rare = new_data.far_behind("mnist", "patience").values()
    assert not rare and len(few) == 2
    assert [c.verdict for c in conditions.once_and_twice("mnist", "patience").values()] == ["worse", "undecided"]
    assert new_data.patience_question().answer == "most of them come through"
    left = [run for run in conditions.under_conditions("patience", "mnist")[f"images-50/{conditions.TWICE}"]
            if run["seed"] in few]  # fmt: skip
    assert sorted(run["epochs"] == 500 for run in left) == [False, True]  # "one was still improving at the limit"
    assert all(run["best_epoch"] > 450 for run in left if run["epochs"] == 500)
    elsewhere = [c for (_, world), c in home.items() if world.startswith("test images") or world == OTHER_HAND]
    assert elsewhere and all(c.verdict != "worse" for c in elsewhere)
    settings = conditions.setting_comparisons(
        *(conditions.under_conditions(family, "mnist") for family in ("new-data", "stopping"))
    )
    assert settings and {c.verdict for c in settings.values()} == {"practically equal"}
    usual, longer = (conditions.under_conditions(family, "mnist") for family in ("confirmation", "patience"))
    few, rare = (
        sum(b["test_metric"] - a["test_metric"] for a, b in zip(usual[name], longer[name], strict=True))
        / len(usual[name])
        for name in (f"images-50/{conditions.FITS}", f"imbalance-10/{conditions.FITS}")
    )
    assert few > 0.01 > rare > 0  # what was expected of softmax once was right for one of the two


def test_more_patience_may_help_or_not(monkeypatch):
    for place in (new_data, conditions):
        monkeypatch.setattr(place, "under_conditions", lambda family, data: {})
    assert "your own answer" in new_data.patience_question().data
    assert "Not measured yet" in new_data.confirmation(family="patience").data
    usual = tried_again([0.5] * 8 + [0.9, 0.9])
    for left, answer in ((8, "they stay where they are"), (4, "about half"), (2, "most of them")):
        longer = tried_again([0.5] * left + [0.91] * (10 - left))
        found = {"confirmation": usual, "patience": longer, "new-data": {}}
        for place in (new_data, conditions):
            monkeypatch.setattr(place, "under_conditions", lambda family, data, found=found: found[family])
        question = new_data.patience_question()
        assert question.answer.startswith(answer)
        assert (
            f"8 of 10 runs end more than 10 points behind softmax once with a patience of 10, {left} where both have 50"
            in new_data.patience_words()
        )
        assert "patience 50, images-50: 50 to 91 % in 10 runs" in (
            new_data.confirmation_figure(patience=True).get_label()
        )
        assert ("**worse**" in new_data.confirmation(family="patience").data) == (left == 8)
