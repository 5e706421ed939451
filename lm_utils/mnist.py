"""MNIST's four files: found, verified, and fetched once from torchvision's mirrors. Never a hang, never wrong data.

torchvision itself checks only that the files exist, and downloads without a time limit and without a lock.
"""

import gzip
import hashlib
import os
import struct
import sys
import time
import zlib
from contextlib import suppress
from functools import lru_cache
from http.client import HTTPException
from math import prod
from multiprocessing.pool import ThreadPool
from pathlib import Path
from urllib.request import Request, urlopen

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from lm_utils.files import user_cache, write_whole

FILES = {  # name: checksum (MD5) and shape
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", (60_000, 28, 28)),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", (60_000,)),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", (10_000, 28, 28)),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", (10_000,)),
}
STALL_SECONDS = 20.0  # a download that brings less than STALL_BYTES in this time is given up
STALL_BYTES = 200_000
WAIT_SECONDS = 140.0  # for another process that downloads
RETRY_SECONDS = 600.0  # after a failed download "auto" does not try again for so long, in any process
MIRRORS: list[str] = []  # torchvision's own where empty; tests name others


class Unavailable(Exception):
    """MNIST cannot be had; the message is half a sentence that says why."""


def raw_folder() -> Path:
    """Where the files are or go: below LM_DATA_DIR (read at each call) or the user's cache folder."""
    return Path(os.environ.get("LM_DATA_DIR") or user_cache()).expanduser().absolute() / "MNIST" / "raw"


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
    return numbers(content, str(path), checksum, shape)


def numbers(content: bytes, name: str, checksum: str, shape: tuple[int, ...]) -> Tensor:
    """Return the numbers of a file's content, verified by size, checksum and shape."""
    header = struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape)
    size = len(header) + prod(shape)
    if len(content) != size:
        raise Unavailable(f"{name} has {len(content):,} bytes instead of {size:,}")
    damaged = hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum
    if damaged or not content.startswith(header):
        raise Unavailable(f"{name} is damaged (its checksum is wrong)")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=len(header)).view(shape)


def because(error: OSError) -> str:
    """A system error in words."""
    return f"cannot be used ({error.strerror or type(error).__name__})"


def load(try_again: bool = False) -> tuple[Tensor, ...]:
    """The files' numbers, downloaded first where needed; `try_again` even if that failed a moment ago."""
    raw = raw_folder()
    try:
        return read(raw)
    except Unavailable as found:
        problem = found
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with FileLock(raw.parent / "lock", timeout=WAIT_SECONDS):
            return read_or_download(raw, try_again)
    except Unavailable as failure:
        why = failure
    except Timeout:
        why = f"another process has been downloading it for {WAIT_SECONDS:g} s"
    except OSError as error:
        why = f"{raw} {because(error)}"
    except NotImplementedError:
        why = f"{raw} allows no file locks"
    raise Unavailable(f"{problem} and {why}")


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


def download(raw: Path) -> None:
    """Fetch what is missing in a thread, which is left to itself as soon as it makes no progress for too long."""
    print(f"Downloading MNIST (12 MB, once) into {raw} ...", file=sys.stderr)
    for left_over in raw.glob(".*.part"):  # of a process that was killed: the lock is ours
        left_over.unlink(missing_ok=True)
    mirrors = MIRRORS or torchvisions_mirrors()  # before the clock ticks: its import is slow under load
    pieces, before = [], 0
    with ThreadPool(1) as pool:  # its threads do not keep the process from ending
        outcome = pool.apply_async(fetch, (raw, mirrors, pieces))
        outcome.wait(STALL_SECONDS)
        while not outcome.ready():
            if sum(pieces) < before + STALL_BYTES:
                raise Unavailable(f"its download made no progress for {STALL_SECONDS:g} s")
            before = sum(pieces)
            outcome.wait(STALL_SECONDS)
        outcome.get()


def fetch(raw: Path, mirrors: list[str], pieces: list[int]) -> None:
    """Write every file that is missing or bad, each verified first, from the first mirror that has it."""
    failures = []
    for mirror in mirrors:
        try:
            for name in FILES:
                if not is_good(raw / name):
                    write_whole(raw / name, unpacked(name, received(f"{mirror}{name}.gz", pieces)))
            return
        except Unavailable as failure:
            failures.append(f"{mirror.split('/')[2]}: {failure}")
    raise Unavailable(f"its download failed ({'; '.join(failures)})")


def torchvisions_mirrors() -> list[str]:
    """Return the addresses that torchvision knows; only a download imports it."""
    from torchvision.datasets import MNIST

    return MNIST.mirrors


def is_good(path: Path) -> bool:
    """Whether this file is there and verified."""
    with suppress(Unavailable):
        read_file(path, version(path), *FILES[path.name])
        return True
    return False


def received(url: str, pieces: list[int]) -> bytes:
    """Return what a server sends; the size of each piece is noted down as it arrives."""
    content = bytearray()
    request = Request(url, headers={"User-Agent": "lm_utils"})
    try:
        with urlopen(request, timeout=STALL_SECONDS * 0.4) as answer:  # so that the second mirror gets its chance
            while piece := answer.read1(65_536):
                content += piece
                pieces.append(len(piece))
    except (OSError, HTTPException) as error:
        raise Unavailable(str(getattr(error, "reason", None) or error or type(error).__name__)) from None
    return bytes(content)


def unpacked(name: str, content: bytes) -> bytes:
    """Return what a gzip file holds, verified as the file of this name."""
    try:
        inside = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise Unavailable(f"{name}.gz arrived corrupted") from None
    numbers(inside, f"{name}.gz", *FILES[name])
    return inside
