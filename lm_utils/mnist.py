"""MNIST's four files: found, verified, and fetched once through torchvision. Never a hang, never wrong data.

torchvision alone checks only that the files exist, and downloads without a time limit and without a lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from math import prod
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

FILES = {  # name: checksum (MD5) and shape
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", (60_000, 28, 28)),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", (60_000,)),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", (10_000, 28, 28)),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", (10_000,)),
}
STALL_SECONDS = 20.0  # a download that brings less than STALL_BYTES in this time is given up
STALL_BYTES = 200_000
START_SECONDS = 120.0  # a download's process may need so long before it asks: importing torchvision is slow under load
RETRY_SECONDS = 600.0  # after a failed download "auto" does not try again for so long, in any process
TORCHVISION: dict[str, object] = {}  # replaces attributes of torchvision's MNIST (mirrors, resources); for tests
BEGUN = "begun"  # the file that says that the download's process is ready to ask
IN_CHILD = "import sys; from lm_utils.mnist import download_with_torchvision as run; run(*sys.argv[1:])"


class Unavailable(Exception):
    """MNIST cannot be had; the message is half a sentence that says why."""


def raw_folder() -> Path:
    """Where the files are or go: below LM_DATA_DIR (read at each call) or the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "loss-misuse-lab"
    return Path(os.environ.get("LM_DATA_DIR") or cache).expanduser().absolute() / "MNIST" / "raw"


def read(raw: Path) -> tuple[Tensor, ...]:
    """Train images, train digits, test images, test digits as uint8, or Unavailable with the bad file's name."""
    return tuple(read_file(raw / name, version(raw / name), *FILES[name]) for name in FILES)


def version(path: Path) -> tuple[int, int]:
    """Size and time of a file: another pair means that it must be verified again."""
    try:
        status = path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise Unavailable(f"{path} {'is missing' if missing else because(error)}") from None
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=len(FILES))
def read_file(path: Path, version: tuple[int, int], checksum: str, shape: tuple[int, ...]) -> Tensor:
    """The numbers of one file, verified by size, checksum and shape, once per process and file version."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} {because(error)}") from None
    header = struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape)
    size = len(header) + prod(shape)
    if len(content) != size:
        raise Unavailable(f"{path} has {len(content):,} bytes instead of {size:,}")
    damaged = hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum
    if damaged or not content.startswith(header):
        raise Unavailable(f"{path} is damaged (its checksum is wrong)")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=len(header)).view(shape)


def because(error: OSError) -> str:
    """A system error in words."""
    return f"cannot be used ({error.strerror or type(error).__name__})"


def load(try_again: bool = False) -> tuple[Tensor, ...]:
    """The files' numbers, downloaded first where needed; `try_again` even if that failed a moment ago."""
    raw = raw_folder()
    try:
        return read(raw)
    except Unavailable as problem:
        try:
            raw.mkdir(parents=True, exist_ok=True)
            with locked(raw.parent):
                return read_or_download(raw, try_again)
        except Unavailable as failure:
            raise Unavailable(f"{problem} and {failure}") from None
        except (OSError, NotImplementedError) as error:
            why = because(error) if isinstance(error, OSError) else "allows no file locks"
            raise Unavailable(f"{problem} and {raw} {why}") from None


def read_or_download(raw: Path, try_again: bool) -> tuple[Tensor, ...]:
    """Download, unless another process was quicker or failed a moment ago; remember a failure."""
    with suppress(Unavailable):
        return read(raw)
    note = raw.parent / "failed-download.txt"
    if not try_again and (failure := recent_failure(raw)):
        raise Unavailable(failure)
    try:
        download(raw)
    except Unavailable as failure:
        note.write_text(str(failure), encoding="utf-8")
        raise
    note.unlink(missing_ok=True)
    return read(raw)


def recent_failure(raw: Path) -> str:
    """Why a download failed within the last RETRY_SECONDS, in this process or another; empty if none did."""
    note = raw.parent / "failed-download.txt"
    try:
        age = time.time() - note.stat().st_mtime
        return note.read_text(encoding="utf-8") if 0 <= age < RETRY_SECONDS else ""  # clocks may be set back
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; whoever has it is waited for while its download begins and grows."""
    lock = FileLock(folder / "lock")

    def acquired() -> bool:
        with suppress(Timeout):
            return bool(lock.acquire(blocking=False))
        return False

    patience = START_SECONDS + STALL_SECONDS
    if not grows_until(acquired, folder, patience):
        raise Unavailable(f"another process has been downloading it without progress for {patience:g} s")
    try:
        yield
    finally:
        lock.release()


def download(raw: Path) -> None:
    """Download into a temporary folder beside `raw`, verify, and only then move the files into place."""
    print(f"Downloading MNIST (12 MB, once) into {raw} ...", file=sys.stderr)
    for left_over in raw.parent.glob("download-*"):  # of a process that was killed: the lock is ours
        shutil.rmtree(left_over, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix="download-", dir=raw.parent))
    try:
        run_torchvision(temporary)
        read(temporary / "MNIST" / "raw")
        for name in FILES:
            os.replace(temporary / "MNIST" / "raw" / name, raw / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def run_torchvision(folder: Path) -> None:
    """torchvision's own download in a process that can be ended, because it knows no time limit."""
    log = folder / "log.txt"
    command = [sys.executable, "-c", IN_CHILD, str(folder), str(STALL_SECONDS), json.dumps(TORCHVISION)]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            begun = grows_until(lambda: (folder / BEGUN).exists() or child.poll() is not None, folder, START_SECONDS)
            finished = begun and grows_until(lambda: child.poll() is not None, folder, STALL_SECONDS)
        finally:
            child.kill()
            child.wait()
    if not begun:
        raise Unavailable(f"its download did not begin within {START_SECONDS:g} s")
    if not finished:
        raise Unavailable(f"its download made no progress for {STALL_SECONDS:g} s")
    if child.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no reason given"]
        raise Unavailable(f"its download failed ({lines[-1]})")


def download_with_torchvision(folder: str, patience: str, replaced: str) -> None:
    """Runs in the child: one mirror after the other, none of which may keep us waiting for long."""
    from torchvision.datasets import MNIST

    Path(folder, BEGUN).touch()
    socket.setdefaulttimeout(float(patience) * 0.4)  # so that the second mirror gets its chance
    for name, value in json.loads(replaced).items():
        setattr(MNIST, name, value)
    failures = []
    for mirror in MNIST.mirrors:
        try:
            MNIST.mirrors = [mirror]
            MNIST(folder, download=True)
            return
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            reason = reason.removeprefix("<urlopen error ").removesuffix(">")
            failures.append(f"{mirror.split('/')[2]}: {reason}")
    sys.exit("; ".join(failures))


def grows_until(done: Callable[[], bool], folder: Path, patience: float) -> bool:
    """Wait until `done`; False as soon as the folder has hardly grown for `patience` seconds."""
    size, since = size_of(folder), time.monotonic()
    while not done():
        now = size_of(folder)
        if now < size or now >= size + STALL_BYTES:  # it shrinks where a failed download is cleared away
            size, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            return False
        time.sleep(0.05)
    return True


def size_of(folder: Path) -> int:
    """The bytes in a folder whose files and folders may come and go."""
    total = 0
    for inner, _, names in os.walk(folder):  # Path.rglob would raise at a folder that has just gone
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(inner, name)).st_size
    return total
