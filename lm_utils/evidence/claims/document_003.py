"""Tests for document 003: losses and their gradients, in text and code."""

from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lm_utils.evidence.claims.by_computing import LABEL, P, Y, Z, close, double, listed, slope
from lm_utils.evidence.claims.claim import Finding, decided

CLIP = 1e-7  # the document's


def batch_mean_does_not_grow() -> Finding:
    """Compare a batch with one twice as long: divided by the number of samples, they cost the same."""
    once, twice = nn.BCELoss()(P, Y), nn.BCELoss()(P.repeat(2, 1), Y.repeat(2, 1))
    by_elements, by_samples = nn.MSELoss()(P, Y), (P - Y).square().sum() / len(P)
    return decided(
        close(once, twice),
        f"The same samples twice: {once:.4f} and {twice:.4f}. PyTorch's mean divides by every"
        f" number there is, though: for two outputs MSELoss gives {by_elements:.4f}, the"
        f" sum over the batch size {by_samples:.4f}.",
    )


def code_takes_the_mean_of_the_squares() -> Finding:
    """Compare the document's MSE, added up over a batch of two samples, with the mean of the squares."""
    predictions, labels = torch.stack([Z, Z + 1]), torch.stack([LABEL, LABEL])
    coded, mean = [], []
    for outputs in (1, len(Z)):
        squares = (predictions - labels)[:, :outputs].square()
        coded.append((squares * 0.5 / len(squares)).sum().item())
        mean.append(squares.mean().item())
    return decided(
        all(abs(a - b) < 1e-12 for a, b in zip(coded, mean, strict=True)),
        f"Two samples of one output: the mean of the squares is {mean[0]:.4f}, the code's terms add up to"
        f" {coded[0]:.4f}; two samples of {len(Z)} outputs: {mean[1]:.4f} and {coded[1]:.4f}. The code halves every"
        " square and divides by the batch size n, not by the number of squares. The gradient beside it belongs to that"
        " form, and the lowest point is the same.",
    )


def half_square_has_the_plain_difference_as_slope() -> Finding:
    """Compare the slope of the document's MSE, with its one half, with the document's gradient."""
    right, mine = slope(lambda a: ((a - LABEL) ** 2 * 0.5 / 3).sum(), Z), (Z - LABEL) / 3
    torchs = slope(lambda a: F.mse_loss(a, LABEL), Z)
    return decided(
        torch.allclose(right, mine),
        f"Autograd on the document's forward: {listed(right)}; its gradient: {listed(mine)}. PyTorch's MSELoss has no"
        f" ½, so its gradient is twice that: {listed(torchs)}.",
    )


def softmax_slopes() -> Tensor:
    """Return all slopes of three softmax outputs."""
    return torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), Z)


def softmax_slopes_are_as_derived() -> Finding:
    """Compare autograd with y_i (1 − y_i) on the diagonal and −y_i y_j elsewhere."""
    y = torch.softmax(Z, 0)
    gap = (softmax_slopes() - (torch.diag(y) - torch.outer(y, y))).abs().max().item()
    return decided(gap < 1e-12, f"All nine slopes agree with autograd within {gap:.0e}.")


def other_classes_add_nothing() -> Finding:
    """Compute the gradient of cross-entropy without the slopes of i ≠ j."""
    y, full = torch.softmax(Z, 0), softmax_slopes()
    whole, diagonal = -(LABEL / y) @ full, -(LABEL / y) @ torch.diag(full.diagonal())
    return decided(
        torch.allclose(whole, diagonal),
        f"With the terms of i ≠ j the gradient is {listed(whole)} (prediction less label), without them"
        f" {listed(diagonal)}: the delta is 0 there, the slope −y_i·y_j is not.",
    )


def gradient_is_prediction_less_label() -> Finding:
    """Compare for softmax with cross-entropy and for sigmoid with binary cross-entropy."""
    soft = slope(lambda z: -(LABEL * torch.softmax(z, 0).log()).sum(), Z)
    coin = slope(lambda z: F.binary_cross_entropy(torch.sigmoid(z), LABEL, reduction="sum"), Z)
    true = torch.allclose(soft, torch.softmax(Z, 0) - LABEL) and torch.allclose(coin, torch.sigmoid(Z) - LABEL)
    return decided(
        true, f"Softmax less label: {listed(soft)}; sigmoid less label: {listed(coin)}; both as autograd says."
    )


def forward_and_gradient_share_their_arguments() -> Finding:
    """Compare the forward, which takes (label, prediction), with the gradient, the first less the second."""
    prediction = torch.softmax(Z, 0)
    true = slope(lambda z: -(LABEL * torch.softmax(z, 0).clamp_min(CLIP).log()).sum(), Z)
    coded = LABEL - prediction
    swapped = -(prediction * LABEL.clamp_min(CLIP).log()).sum().item()
    return decided(
        torch.allclose(true, coded),
        f"In the forward the first argument is the label and the second sits in the logarithm; the gradient returns"
        f" first less second, {listed(coded)}, where autograd gives {listed(true)}: the opposite sign. Called with the"
        f" prediction first, the gradient is right and the forward gives {swapped:.2f} instead of"
        f" {-(LABEL * prediction.log()).sum():.2f}.",
    )


def clipping_keeps_the_logarithm_finite() -> Finding:
    """Compute the largest loss that is left."""
    lost = -log(CLIP)
    return decided(lost < 17, f"Cut at 0.0000001, no sample costs more than {lost:.2f} instead of infinity.")


def gradient_goes_with_the_clipped_loss() -> Finding:
    """Compare the two where the clip cuts: the loss is flat and the document's gradient is not."""
    z = double(-20.0)
    true = slope(lambda z: -torch.sigmoid(z).clamp(CLIP, 1 - CLIP).log(), z).item()
    coded = (torch.sigmoid(z) - 1).item()
    return decided(
        abs(true - coded) < 1e-6,
        f"At a logit of −20 with label 1 the clipped loss is flat, its slope {abs(true):.0f}; the code returns"
        f" {coded:.0f} (before its swapped sign). It is the gradient of the loss without the clip, and the better one"
        " for learning, but not that of the loss it reports.",
    )


def slope_is_taken_at_the_logit() -> Finding:
    """Compare with the gradient at the sigmoid's output, which is another number."""
    p = torch.sigmoid(Z)
    at_logit, at_output = (
        (torch.sigmoid(Z) - LABEL)[1].item(),
        slope(lambda p: F.binary_cross_entropy(p, LABEL, reduction="sum"), p)[1].item(),
    )
    return decided(
        abs(at_logit - at_output) > 0.1,
        f"For a yes predicted with {p[1]:.3f}, the gradient at the logit is {at_logit:.3f}, at the sigmoid's output"
        f" {at_output:.3f}.",
    )


def sigmoid_stays_between_zero_and_one() -> Finding:
    """Look for outputs outside; in float32 the ends are reached."""
    p = torch.sigmoid(torch.linspace(-200, 200, 4001))
    return decided(
        bool((p >= 0).all() and (p <= 1).all()),
        f"For inputs from −200 to 200: {p.min():.0f} to {p.max():.0f}; in float32 both ends are reached,"
        " which is why the clipping is needed.",
    )
