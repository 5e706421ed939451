"""The Triton kernels: run where they can, compiled for a GPU where there is none, stored for all others."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from lm_utils.lessons import kernels

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="Triton comes with PyTorch's Linux builds")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
COMPILE = """
import json, torch
torch.cuda.is_available = lambda: True  # keep the interpreter out of the way: nothing is run here
from lm_utils.labs import triton_losses
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
def test_kernels_equal_our_layers_and_pytorch():
    result = kernels.run_kernels()
    assert not result["stored"] and "Computed just now" in kernels.sentence(result)
    assert_three_ways_agree(result)


@needs_triton
@needs_gpu
@pytest.mark.gpu
def test_kernels_run_on_the_gpu_itself():
    result = kernels.run_kernels()
    assert result["where"] == torch.cuda.get_device_name()
    assert_three_ways_agree(result)


@needs_triton
def test_kernels_compile_for_a_gpu_that_is_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(size > 1000 for size in json.loads(done.stdout).values())


@pytest.mark.parametrize("missing", [True, False])
def test_a_stored_result_stands_in_and_says_why(monkeypatch, missing):
    if missing:
        monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    else:
        failed = subprocess.CompletedProcess([], 1, "", "Traceback\nRuntimeError: no compiler")
        monkeypatch.setattr(kernels, "find_spec", lambda name: True)
        monkeypatch.setattr(kernels, "_in_own_process", lambda extra: failed)
    result = kernels.run_kernels()
    assert_three_ways_agree(result)
    assert ("not installed" if missing else "no compiler") in kernels.sentence(result)
    assert "stored result" in kernels.sentence(result)
    with pytest.raises(ValueError, match="before storing"):
        kernels.store()
