"""Does a sample's output depend on the other samples of the batch?"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from lm_utils.doctor.belongings import tensors_in
from lm_utils.doctor.output_origin import nodes_behind, operation
from lm_utils.doctor.patient import Observation, Patient
from lm_utils.doctor.report import Finding

ALL_AT_ONCE = (nn.RNNBase, nn.MultiheadAttention)


def check_samples_mixed(seen: Observation, patient: Patient) -> Iterator[Finding]:
    """Does a sample's output depend on the other samples, because a layer takes the batch for time?"""
    inputs, outputs = patient.inputs, next(tensors_in(seen.outputs), None)
    if not isinstance(inputs, Tensor) or inputs.dim() < 2 or outputs is None:
        return
    samples = inputs.shape[0]
    suspects, over_batch = _time_first_layers(patient.model), _softmax_over_batch(outputs, samples)
    if samples < 4 or outputs.dim() < 1 or outputs.shape[0] != samples or not isinstance(patient.model, nn.Module):
        return
    labelled = next((t for t in tensors_in(patient.targets) if t.dim()), None)
    if outputs.shape[1:2] == (samples,) or (labelled is not None and labelled.shape[0] != samples):
        return
    if (outputs.dim() > 2 and inputs.dim() < 4) or _mixes_on_purpose(patient.model, outputs):
        return  # time may come first on purpose
    other = torch.cat([inputs[:1].expand(samples - 1, *inputs.shape[1:]), inputs[-1:]])
    was = patient.model.training
    patient.model.eval()
    try:
        with torch.no_grad():
            found = []
            for x in (inputs, other):
                torch.manual_seed(0)
                found.append(next(tensors_in(patient.outputs_of(x)), None))
            before, after = found
    finally:
        patient.model.train(was)
    if before is None or after is None or torch.allclose(before[-1], after[-1], rtol=1e-4, atol=1e-5):
        return
    if suspects:
        name, layer = suspects[0]
        yield Finding("samples_mixed", "error",
            f"The output of one sample depends on the other samples: {type(layer).__name__} `{name}` has "
            "batch_first=False and takes the first axis, the samples, for time.",
            "Every sample then sees those before it in the batch, and its own steps are treated as separate samples.",
            f"Say that the batch comes first: `{type(layer).__name__}(..., batch_first=True)`.")  # fmt: skip
    elif not over_batch:
        yield Finding("samples_mixed", "warning",
            "The output of one sample depends on the other samples of the batch.",
            "A view, reshape or transpose has taken the axis of the samples apart, or something averages over it.",
            "Keep the samples first: `x.flatten(1)`, `x.transpose(1, 2)`; the last state is `h[-1]`.")  # fmt: skip
    else:
        yield Finding("softmax_wrong_axis", "error",
            "A softmax inside the model runs over the batch, and the output of one sample depends on the others.",
            "The weights of one sample should share the whole among its own steps or classes.",
            "Name the axis: `dim=1` for the steps of [N, L, ...], `dim=-1` for classes.")  # fmt: skip


def _softmax_over_batch(outputs: Tensor, samples: int) -> bool:
    """Does a softmax behind these outputs share out the whole among the samples?"""
    for node in nodes_behind(outputs.grad_fn):
        result = getattr(node, "_saved_result", None) if operation(node) == "Softmax" else None
        if result is not None and node._saved_dim == 0 and result.dim() > 1 and result.shape[0] == samples:
            return True
    return False


def _mixes_on_purpose(model: nn.Module, outputs: Tensor) -> bool:
    """Does a norm without running statistics, or a given table of the samples' neighbours, belong to the model?"""
    norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    left = [getattr(node, "_saved_self", None) for node in nodes_behind(outputs.grad_fn) if operation(node) == "Mm"]
    tables = [t for t in left if isinstance(t, Tensor) and t.shape == (len(outputs),) * 2 and not t.requires_grad]
    return bool(tables) or any(norm.running_mean is None for norm in norms)


def _time_first_layers(model: object) -> list[tuple[str, nn.Module]]:
    if not isinstance(model, nn.Module):
        return []
    return [(name, part) for name, part in model.named_modules()
            if isinstance(part, ALL_AT_ONCE) and not getattr(part, "batch_first", True)]  # fmt: skip
