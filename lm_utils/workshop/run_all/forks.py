"""Starts the notebooks' processes, on Linux as forks of one process that has imported what they all need.

That saves each notebook six seconds of work. A notebook's process is a fork of the server, and its kernel, which is
made before any thread starts, is a fork of the notebook's process. Only Linux forks safely; elsewhere both are
processes that import everything themselves.
"""

import multiprocessing
import os
import pkgutil
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
from ipykernel.kernelapp import launch_new_instance
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from lm_utils import lessons
from lm_utils.threads import capped_environment

ENOUGH = 3  # notebooks for which the imports of the server pay
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # as ipykernel sets it before an import
OWN_PROCESS = "lm_utils.lessons.losses_from_scratch_triton"  # asks for a GPU, which no fork of it could use then
PRELOADED = [  # torch._dynamo is what the first optimiser of a process imports
    "torch._dynamo", "lm_utils.workshop.run_all.notebook", "ipykernel.kernelapp", "matplotlib.pyplot", "scipy.stats",
    "sklearn.datasets", "seaborn", "torchinfo", "lm_utils.explorer.explorer", "lm_utils.explorer.picker",
    *{f"lm_utils.lessons.{module.name}" for module in pkgutil.iter_modules(lessons.__path__)} - {OWN_PROCESS},
]  # fmt: skip


@contextmanager
def processes(notebooks: int) -> Iterator[BaseContext]:
    """Yield what starts the notebooks' processes: a server of forks, where they are enough and this system can fork."""
    if sys.platform != "linux" or notebooks < ENOUGH:
        yield multiprocessing.get_context("spawn")
        return
    multiprocessing.set_forkserver_preload(PRELOADED)
    with patch.dict(os.environ, capped_environment() | INLINE), suppress(OSError):
        forkserver.ensure_running()
    try:
        yield multiprocessing.get_context("forkserver")
    finally:
        if pid := forkserver._forkserver._forkserver_pid:  # it has no work left; to end by itself would take seconds
            os.kill(pid, signal.SIGKILL)
        forkserver._forkserver._stop()


def leave_the_terminal(environment: dict[str, str]) -> None:
    """Make this process what the notebook's needs to be: with its environment, and out of reach of Ctrl-C."""
    os.environ.clear()
    os.environ.update(environment)
    if os.name != "nt":
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # what starts us has blocked it
    if sys.platform == "linux":
        Path("/proc/self/comm").write_text(name_of(environment["LM_RUN_ALL"]))


def name_of(tag: str) -> str:
    """Return the name of a notebook's process, whose environment cannot be read from outside."""
    return f"lm-{tag[:12]}"


def prepare_kernel() -> None:
    """Make a fork of this process now, before it has threads, that becomes the notebook's kernel."""
    ForkedKernel.waiting = WaitingKernel()
    factory = KernelProvisionerFactory.instance()
    factory.provisioners["forked"] = EntryPoint("forked", f"{__name__}:ForkedKernel", factory.GROUP_NAME)
    factory.default_provisioner_name = "forked"


class WaitingKernel(psutil.Process):
    """A fork that waits to be told which kernel it is, to be used like a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        receiver, self.sender = multiprocessing.Pipe(duplex=False)
        pid = os.fork()
        if not pid:
            try:
                self.sender.close()
                become_kernel(*receiver.recv())
            except EOFError:  # the notebook's process has ended
                pass
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(0)
        receiver.close()
        super().__init__(pid)

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        with suppress(psutil.TimeoutExpired):
            return self.wait(0)
        return None


def become_kernel(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Do in a fork what a kernel's command would do in a process of its own."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    multiprocessing.set_start_method(None, force=True)  # a lesson's own processes are no forks of the server
    sys.argv = arguments
    launch_new_instance()


class ForkedKernel(LocalProvisioner):
    """Makes a kernel of the fork that waits; another one is an ordinary process."""

    waiting: WaitingKernel | None = None

    async def launch_kernel(self, cmd: list[str], **options: Any) -> dict[str, Any]:
        """Start the kernel."""
        waiting, ForkedKernel.waiting = self.waiting, None
        if waiting is None or "ipykernel_launcher" not in cmd:
            return await super().launch_kernel(cmd, **options)
        arguments = [*cmd[cmd.index("ipykernel_launcher") :], f"--IPKernelApp.parent_handle={os.getpid()}"]
        waiting.sender.send((arguments, options["env"], options.get("cwd", os.getcwd())))
        self.process = waiting
        self.pid = self.pgid = waiting.pid
        return self.connection_info
