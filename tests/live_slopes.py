"""Losses and slopes of the tiny network by PyTorch, for the web site's live trainer to be compared with."""

import torch
from torch.nn import functional as F

from lm_utils.data import load_data
from lm_utils.losses import LOSSES
from lm_utils.model import TinyCNN
from lm_utils.pairing import Pairing
from lm_utils.runs.shipped import whole_grid
from lm_utils.tasks import TASKS
from lm_utils.workshop.publish.site_data import plain_task

IMAGES = 8


def slope_cases() -> list[dict]:
    """Every loss on every activation of every task, with PyTorch's loss and slopes on a few images (None: refused)."""
    part = load_data("digits", seed=1).train
    images, digits = part.images[:IMAGES].double(), part.digits[:IMAGES]
    images = images + 0.1 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).double()  # no ties
    pairings = [pairing for task in TASKS for pairing in whole_grid(task)]
    pairings += [Pairing("multiclass", loss, "sigmoid", hidden="relu") for loss in LOSSES]
    return [slope_case(pairing, images, digits) for pairing in pairings]


def slope_case(pairing: Pairing, images: torch.Tensor, digits: torch.Tensor) -> dict:
    """One pairing with PyTorch's loss and slopes."""
    generator = torch.Generator().manual_seed(7)
    model = TinyCNN(pairing.spec.outputs, pairing.activation, pairing.hidden, generator).double()
    targets = pairing.spec.target(digits)
    scale = pairing.scale(targets)
    aims = pairing.aims(targets, scale)
    loss, slopes = None, {}
    try:
        found = pairing.loss_value(model(images), aims if aims.dtype == torch.long else aims.double())
        found.backward()
        loss = found.item()
        slopes = {name: one.grad.flatten().tolist() for name, one in model.named_parameters()}
    except (RuntimeError, ValueError):
        pass
    framed = F.pad(F.avg_pool2d(images, 2), (1, 1, 1, 1)).flatten().tolist()
    weights = {name: one.detach().flatten().tolist() for name, one in model.named_parameters()}
    return {
        "name": f"{pairing.task} {pairing.label}", "settings": settings_of(pairing, 0.01, 1, 0),
        "task": plain_task(pairing.spec), "digits": digits.tolist(), "images": framed, "weights": weights,
        "loss": loss, "slopes": slopes, "scale": {"mean": scale.mean, "std": scale.std},
    }  # fmt: skip


def settings_of(pairing: Pairing, lr: float, epochs: int, seed: int) -> dict:
    """A pairing and its training as the page's trainer reads them."""
    options = {"normalize": pairing.normalize, "priorBias": pairing.prior_bias, "hidden": pairing.hidden}
    own = {"loss": pairing.loss, "activation": pairing.activation}
    return {**own, **options, "lr": lr, "epochs": epochs, "seed": seed}


def faults(cases: list[dict], found: list[dict]) -> list[dict]:
    """The cases that differ from PyTorch: in a slope, or in whether the loss refuses them."""
    refused = {case["name"] for case in cases if case["loss"] is None}
    return [
        one for one in found if (one["name"] in refused) != bool(one.get("refused")) or not one.get("worst", 0) < 1e-5
    ]
