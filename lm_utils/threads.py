"""How many cores there are, and why a training here uses one of them.

The course's networks are so small that the threads of one operation wait for each other longer than they work: two of
them are slower than one, on a busy machine up to nine times. Importing `lm_utils.training` therefore leaves PyTorch one
thread per operation. A user's own choice wins: OMP_NUM_THREADS, or `torch.set_num_threads` with another number than
PyTorch would take by itself; called later, it wins with every number. `lab` and `explore` hand the cap to their kernels
through the environment.
"""

import os

VARIABLE = "OMP_NUM_THREADS"


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cap_threads() -> int:
    """Let PyTorch use one thread per operation, unless the user chose a number; return what it would have used."""
    import torch

    before, everywhere = torch.get_num_threads(), os.cpu_count() or 1
    own_choice = {cores(), everywhere, everywhere // 2}  # cores, or half of them where each has two hardware threads
    if VARIABLE not in os.environ and before in own_choice:
        torch.set_num_threads(1)
    return before


def capped_environment() -> dict[str, str]:
    """Return the environment for a process that trains: one thread per operation, unless the user chose a number."""
    return {VARIABLE: "1", **os.environ}
