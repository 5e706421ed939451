"""Three rules of stopping keep the weights that each would have handed over; stuck units are seen."""

from types import SimpleNamespace

import torch

from lm_utils.model import CNN
from lm_utils.runs.conditions import CONDITIONS
from lm_utils.runs.robustness import run_condition
from lm_utils.runs.watches import BUDGET, LEFT, PATIENCE, StoppingRules, stuck_units
from lm_utils.training import Stopped


def followed(metrics, losses):
    """Whether all rules have ended, what each kept where the weights are the epoch's number, and the last epoch."""
    nothing = SimpleNamespace(images=None, digits=None)
    watch = StoppingRules(CONDITIONS["stopping"][0], SimpleNamespace(test=nothing))
    watch.model = torch.nn.Linear(1, 1, bias=False)
    watch.measured = lambda model, *_: {"accuracy": 0.5, "weight": model.weight.item()}
    for epoch, (metric, loss) in enumerate(zip(metrics, losses, strict=True), start=1):
        watch.model.weight.data.fill_(epoch)
        try:
            watch.look({"epoch": epoch, "valid_metric": metric, "valid_loss": loss})
        except Stopped:
            break
    return watch.enough, watch.seen(SimpleNamespace(model=watch.model))["rules"], epoch


def test_each_rule_keeps_its_own_epoch():
    epochs = range(1, 101)
    metrics = [min(epoch, 7) for epoch in epochs]  # best at 7, never better
    losses = [abs(epoch - 25) for epoch in epochs]  # least at 25
    ended, told, seen = followed(metrics, losses)
    assert ended and seen == max(25 + PATIENCE, BUDGET)
    assert {name: (one["epoch"], one["weight"]) for name, one in told.items()} == {
        "metric": (7, 7.0), "loss": (25, 25.0), "budget": (BUDGET, float(BUDGET))
    }  # fmt: skip


def test_an_ended_rule_is_not_woken_by_a_later_record():
    epochs = range(1, 101)
    metrics = [1.0 if epoch == 1 else 2.0 if epoch == PATIENCE + 5 else 0.0 for epoch in epochs]
    _, told, _ = followed(metrics, [1.0] * 100)
    assert told["metric"]["epoch"] == 1


def test_a_training_that_is_cut_short_still_has_an_answer():
    ended, told, _ = followed([0.1, 0.2, 0.3], [3.0, 2.0, 2.5])
    assert not ended
    assert {name: one["epoch"] for name, one in told.items()} == {"metric": 3, "loss": 2, "budget": 3}


def test_a_unit_is_stuck_where_it_says_the_same_for_every_image(tiny):
    images = tiny.valid.images[:32]
    model = CNN(10, generator=torch.Generator().manual_seed(0))
    assert stuck_units(model, images) == 0
    model.fc.bias.data[:16] = 50.0
    assert stuck_units(model, images) == 0.25
    relu = CNN(10, hidden="relu", generator=torch.Generator().manual_seed(0))
    relu.fc.bias.data[:32] = -50.0
    assert stuck_units(relu, images) >= 0.5


def test_a_run_ends_as_soon_as_it_has_left_its_plateau():
    condition = next(one for one in CONDITIONS["plateau"] if one.name == "softmax-twice")
    run = run_condition(condition, 9, "digits", "cpu")
    left = [epoch["epoch"] for epoch in run["history"] if (epoch["valid_metric"] - 0.1) / 0.9 >= LEFT - 0.01]
    assert run["status"] == "ok" and run["left"] == run["epochs"] == left[0] and len(left) == 1
