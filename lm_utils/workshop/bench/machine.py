"""The machine that something is measured on: what it is, how busy, how fast at best, how much memory a process took."""

import os
import platform
import sys
import time
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil
import torch

from lm_utils.workshop.bench.competitors import PEERS

PACKAGES = ("torch", "torchvision", "numpy", *PEERS)


def matrix_speed(device: str) -> float:
    """Return the most GFLOP per second that products of fp32 matrices reach here, on one core or on the whole GPU."""
    size = 8192 if device == "cuda" else 1024
    left, right = torch.rand(2, size, size, device=device)
    clock = time.perf_counter if device == "cuda" else time.process_time
    best, started = 0.0, clock()
    while clock() - started < 0.5:
        before = clock()
        (left @ right)[0, 0].item()  # which waits for a GPU
        best = max(best, 2e-9 * size**3 / (clock() - before))
    return best


def peak_mb() -> float:
    """Return the most memory this process has held."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def provenance(device: str) -> dict[str, str | float]:
    """Say how busy this machine was over the last minute, what it is, what is installed on it, and when.

    These are columns of every table of measurements.
    """
    machine = torch.cuda.get_device_name() if device == "cuda" else f"{processor()}, {os.cpu_count()} cores"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES if find_spec(name))
    versions = f"Python {platform.python_version()}, {packages}"
    load, *_ = psutil.getloadavg()
    return {"load": load, "machine": machine, "versions": versions, "date": date.today().isoformat()}


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
