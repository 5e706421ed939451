"""Notebook 03: clipped losses, the slopes of softmax, and Triton kernels that run, compile or are stored."""

import json
import math
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from lm_utils.lessons import losses_from_scratch as lesson
from lm_utils.show.style import png


@pytest.mark.parametrize("label", [0, 1])
def test_inside_the_clip_all_agree(label):
    at = lesson.clipped_bce(torch.linspace(-8, 8, 33), label)
    torch.testing.assert_close(at.clipped_loss, at.true_loss, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(at.by_autograd, at.by_hand, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("label, logit, ceiling", [(1, -20.0, -math.log(1e-7)), (0, 20.0, 23 * math.log(2))])
def test_beyond_the_clip_value_and_gradient_part(label, logit, ceiling):
    at = lesson.clipped_bce(torch.tensor([logit]), label)
    assert at.true_loss.item() == pytest.approx(20)
    assert at.clipped_loss.item() == pytest.approx(ceiling, abs=1e-4)
    assert at.by_autograd.item() == 0 and abs(at.by_hand.item()) == pytest.approx(1)


def test_half_precision_rounds_the_upper_clip_away():
    assert lesson.clipped_bce(torch.tensor([20.0]), 0, dtype=torch.float16).clipped_loss.item() == math.inf
    assert "rounded away" in lesson.clipping_text(20.0, 0, 1e-7, "float16")
    assert "rounded away" not in lesson.clipping_text(20.0, 0, 1e-7, "float64")


def test_true_loss_is_pytorchs_in_float64():
    z = torch.linspace(-40, 40, 81, dtype=torch.float64)
    expected = nn.BCEWithLogitsLoss(reduction="none")(z, torch.ones_like(z))
    torch.testing.assert_close(lesson.clipped_bce(z, 1).true_loss, expected)


def test_a_label_that_is_no_label_is_refused():
    with pytest.raises(ValueError, match="0 or 1"):
        lesson.clipped_bce(torch.zeros(1), 2)


def test_the_kernel_on_the_page_is_the_kernel_that_runs():
    text = lesson.kernel_source("cross_entropy")
    assert text.startswith("```python\n@triton.jit\ndef cross_entropy_kernel(") and text.count("def ") == 1


def test_figures_say_their_numbers():
    figure = lesson.slopes_figure(torch.eye(3), {"only i = j": torch.tensor([0.0, -0.76, 0.0])}, 1)
    assert "only i = j: +0.00, -0.76, +0.00" in figure.get_label() and len(png(figure)) > 10_000
    assert "the true loss is 20" in lesson.clipping_figure().get_label()


# --- Triton -------------------------------------------------------------------------------------------------

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="Triton comes with PyTorch's Linux builds")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
COMPILE = """
import json, torch
torch.cuda.is_available = lambda: True  # keep the interpreter out of the way: nothing is run here
from lm_utils.lessons import losses_from_scratch_triton as triton_losses
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
pointers = dict.fromkeys(["outputs", "targets", "losses", "gradients"], "*fp32")
signature = {**pointers, "n": "i32", "K": "i32", "CLIP": "constexpr", "BLOCK": "constexpr"}
sizes = {}
for name, kernel in triton_losses.KERNELS.items():
    source = ASTSource(fn=kernel, signature=signature, constexprs={"CLIP": 1e-7, "BLOCK": 16})
    sizes[name] = len(triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["ptx"])
print(json.dumps(sizes))
"""


def assert_three_ways_agree(result):
    assert [row["loss"] for row in result["rows"]] == ["mse", "cross_entropy", "bce"]
    for row in result["rows"]:
        assert row["triton"] == pytest.approx(row["scratch"], rel=1e-5)
        assert row["triton"] == pytest.approx(row["pytorch"], rel=1e-4)
        assert row["gradient_vs_scratch"] < 1e-6 and row["gradient_vs_pytorch"] < 1e-6


@needs_triton
@pytest.mark.slow
def test_kernels_equal_our_layers_and_pytorch():
    result = lesson.run_kernels()
    assert not result["stored"] and "Computed just now" in lesson.kernels_sentence(result)
    assert_three_ways_agree(result)


@needs_triton
@needs_gpu
@pytest.mark.gpu
def test_kernels_run_on_the_gpu_itself():
    result = lesson.run_kernels()
    assert result["where"] == torch.cuda.get_device_name()
    assert_three_ways_agree(result)


@needs_triton
@pytest.mark.slow
def test_kernels_compile_for_a_gpu_that_is_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(size > 1000 for size in json.loads(done.stdout).values())


@pytest.mark.parametrize("missing", [True, False])
def test_a_stored_result_stands_in_and_says_why(monkeypatch, missing):
    if missing:
        monkeypatch.setattr(lesson, "find_spec", lambda name: None)
    else:
        failed = subprocess.CompletedProcess([], 1, "", "Traceback\nRuntimeError: no compiler")
        monkeypatch.setattr(lesson, "find_spec", lambda name: True)
        monkeypatch.setattr(lesson.subprocess, "run", lambda *command, **options: failed)
    result = lesson.run_kernels()
    assert_three_ways_agree(result)
    assert ("not installed" if missing else "no compiler") in lesson.kernels_sentence(result)
    assert "stored result" in lesson.kernels_sentence(result)
    with pytest.raises(ValueError, match="before storing"):
        lesson.store_kernels()
