"""What only a GPU has: the step of `batched` as a CUDA graph, and memory that can run out."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch

WARM_UPS = 2
SPARE = 1.1  # a capture must find this much of the memory that the same step took before it


class Capture:
    """Turns pieces of work into CUDA graphs that share one pool of memory, since they never run side by side."""

    def __init__(self) -> None:
        self.stream, self.pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """Do the work a few times as it is, see to it that memory suffices, capture it; the graph, ready to replay."""
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(WARM_UPS):
                work()
        torch.cuda.current_stream().wait_stream(self.stream)
        make_sure_of_memory(torch.cuda.max_memory_allocated() - before)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
                work()
        except RuntimeError as refusal:
            if out_of_memory(refusal):
                raise
            warnings.warn(f"No CUDA graph of the step, which makes it slower: {refusal}", stacklevel=2)
            return work
        return graph.replay


def make_sure_of_memory(size: int) -> None:
    """Run out of memory here rather than within a capture, whose memory would then be lost to the process."""
    torch.cuda.empty_cache()
    torch.empty(int(size * SPARE), dtype=torch.uint8, device="cuda")


def out_of_memory(problem: BaseException | None) -> bool:
    """Whether an error, or one that it followed from, says that the device's memory is full."""
    if problem is None:
        return False
    full = isinstance(problem, torch.OutOfMemoryError) or "CUBLAS_STATUS_ALLOC_FAILED" in str(problem)
    return full or out_of_memory(problem.__cause__ or problem.__context__)
