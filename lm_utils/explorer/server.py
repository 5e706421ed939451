"""`make explore`: the explorer alone as a web page, for this machine and whoever holds the token."""

import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from time import monotonic, sleep

import nbformat

from lm_utils.files import WORKING_COPY
from lm_utils.threads import capped_environment

CODE = "from lm_utils.explorer.explorer import explorer\n\nexplorer(folder={folder!r})"
TITLE = "Loss explorer"
START_LIMIT = 60.0  # seconds for the server to answer


def main() -> int:
    """Serve the explorer until Ctrl-C or SIGTERM; print the address once the page can be opened."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends this process ends the server, too
    port, token = free_port(), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="explorer-") as folder:
        page = Path(folder) / f"{TITLE}.ipynb"
        nbformat.write(notebook(WORKING_COPY), page)
        server = subprocess.Popen(command(page, port), env={**capped_environment(), "JUPYTER_TOKEN": token})
        try:
            if not answers(port, token, server):
                return server.poll() or 1
            print(f"The explorer: http://127.0.0.1:{port}/?token={token}\nCtrl-C ends it.", flush=True)
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            end(server)


def notebook(folder: Path) -> nbformat.NotebookNode:
    """Return a notebook with the explorer as its only cell, run by this Python; files are saved in the folder."""
    spec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    cell = nbformat.v4.new_code_cell(CODE.format(folder=str(folder)))
    return nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": spec})


def command(page: Path, port: int) -> list[str]:
    """Return the command of Voila for this page, reachable from this machine alone, with the token of the environment.

    A closing page tells the server to end its kernel, but without the cookie against forged requests, which Voila never
    sets; the login cookie is SameSite=Lax, so other sites' requests still go without it and are refused. Kernels whose
    page is gone without a word (a crash) end when nothing has happened in them for some minutes.
    """
    options = {"Voila.ip": "127.0.0.1", "port": port, "Voila.port_retries": 0, "Voila.auto_token": True,
               "Voila.open_browser": False, "Voila.log_level": "ERROR",
               "Voila.tornado_settings": {"disable_check_xsrf": True},
               "MappingKernelManager.cull_interval": 30, "MappingKernelManager.cull_idle_timeout": 300}  # fmt: skip
    return [sys.executable, "-m", "voila", str(page), *(f"--{name}={value}" for name, value in options.items())]


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int, token: str, server: subprocess.Popen) -> bool:
    """Wait until the server answers; false where it ended or took too long."""
    deadline = monotonic() + START_LIMIT
    address = f"http://127.0.0.1:{port}/voila/static/"
    while monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}?token={token}", timeout=5).close()
            return True
        except urllib.error.HTTPError:
            return True  # it answers, if only to say that there is no such file
        except OSError:
            sleep(0.1)
    return False


def end(server: subprocess.Popen) -> None:
    """Stop the server and its kernels."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
