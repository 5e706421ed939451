"""The data: exact splits, and one clear sentence or the embedded digits for everything that can go wrong."""

import gzip
import hashlib
import http.server
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import torch
from yardstick import cost

from lm_utils import data, mnist
from lm_utils.errors import UserError

IMAGES = "train-images-idx3-ubyte"
SHAPES = {  # a pocket MNIST: 60 training and 20 test images
    IMAGES: (60, 28, 28),
    "train-labels-idx1-ubyte": (60,),
    "t10k-images-idx3-ubyte": (20, 28, 28),
    "t10k-labels-idx1-ubyte": (20,),
}


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def pocket_file(shape: tuple[int, ...]) -> bytes:
    """An idx file: every image has its own number in its first pixel, every label is that number mod 10."""
    body = torch.zeros(shape, dtype=torch.uint8)
    numbers = torch.arange(shape[0], dtype=torch.uint8)
    body[(..., *[0] * (len(shape) - 1))] = numbers if len(shape) == 3 else numbers % 10
    return struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape) + body.numpy().tobytes()


POCKET = {name: pocket_file(shape) for name, shape in SHAPES.items()}
PACKED = {f"/{name}.gz": gzip.compress(content, mtime=0) for name, content in POCKET.items()}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty LM_DATA_DIR in a world where MNIST is the pocket MNIST and no mirror answers."""
    monkeypatch.setenv("LM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(mnist, "FILES", {name: (md5(POCKET[name]), SHAPES[name]) for name in POCKET})
    monkeypatch.setattr(mnist, "MIRRORS", ["http://127.0.0.1:9/"])
    monkeypatch.setitem(data.SIZES, "mnist", (20, 30, 20))
    return tmp_path


@pytest.fixture
def offline(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and a download fails without taking the time to start."""

    def fail(*_: object) -> None:
        raise mnist.Unavailable("its download failed (no network)")

    monkeypatch.setattr(mnist, "fetch", fail)
    return root


def fill(root: Path) -> Path:
    """Put the pocket MNIST into a data folder."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in POCKET.items():
        (raw / name).write_bytes(content)
    return raw


class Mirror(http.server.ThreadingHTTPServer):
    """A web server on the loopback that answers each path as `answer` says, and counts."""

    daemon_threads = True

    def __init__(self, answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.server.requests.append(self.path)
                self.server.times.append(time.monotonic())
                answer(self)

            def log_message(self, *message: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.times: list[float] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"


@pytest.fixture
def mirror(root: Path) -> Iterator[Callable[..., Mirror]]:
    """Start mirrors that answer as told; the download asks them in this order."""
    started: list[Mirror] = []

    def start(*answers: Callable[[http.server.BaseHTTPRequestHandler], None]) -> list[Mirror]:
        for answer in answers:
            started.append(Mirror(answer))
            threading.Thread(target=started[-1].serve_forever, daemon=True).start()
        mnist.MIRRORS[:] = [server.url for server in started]
        return started

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def send(handler: http.server.BaseHTTPRequestHandler, body: bytes, promised: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) if promised is None else promised))
    handler.end_headers()
    handler.wfile.write(body)


def genuine(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, PACKED[handler.path])


def portal(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"<html><body>Please log in to the guest network.</body></html>")


def forbidden(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_error(403)


def cut_short(handler: http.server.BaseHTTPRequestHandler) -> None:
    body = PACKED[handler.path]
    send(handler, body[: len(body) // 2], promised=len(body))


def nothing(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"")


def flipped(handler: http.server.BaseHTTPRequestHandler) -> None:
    body = bytearray(PACKED[handler.path])
    body[len(body) // 2] ^= 1
    send(handler, bytes(body))


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(60)


def dripping(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"", promised=10**6)
    for _ in range(300):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.2)


BREAK = {  # what can be wrong with a file, and the word that names it
    "truncated": (lambda good: good[:-100], "bytes instead of"),
    "too long": (lambda good: good + b"\0", "bytes instead of"),
    "empty": (lambda good: b"", "has 0 bytes"),
    "a web page": (lambda good: b"<html>Please log in.</html>", "bytes instead of"),
    "one flipped bit": (lambda good: good[:-1] + bytes([good[-1] ^ 1]), "damaged"),
    "wrong header": (lambda good: b"\0\0\x08\1" + good[4:], "damaged"),
}


# The embedded digits


def test_the_embedded_digits_have_their_shape_range_and_size() -> None:
    splits = data.load_data("digits", seed=3)
    assert (splits.name, splits.seed) == ("digits", 3)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [600, 300, 897]
    for part in (splits.train, splits.valid, splits.test):
        assert part.images.shape[1:] == (1, 28, 28) and part.images.dtype == torch.float32
        assert part.digits.dtype == torch.int64 and len(part.images) == len(part.digits)
        assert part.images.min() == -1 and part.images.max() == 1


def test_every_part_holds_every_digit_alike() -> None:
    splits = data.load_data("digits", seed=1)
    everything = torch.cat([part.digits for part in (splits.train, splits.valid, splits.test)])
    share = everything.bincount() / len(everything)
    for part in (splits.train, splits.valid, splits.test):
        assert (part.digits.bincount() - share * len(part)).abs().max() <= 1.5


def test_parts_do_not_overlap_and_are_all_there_is() -> None:
    splits = data.load_data("digits", seed=1)
    used = torch.cat([part.images for part in (splits.train, splits.valid, splits.test)])
    images, _ = data.embedded_digits()
    ours = sorted(md5(image.numpy().tobytes()) for image in used.add(1).mul(127.5).round().to(torch.uint8))
    assert ours == sorted(md5(image.numpy().tobytes()) for image in images)


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_the_seed_decides_train_and_valid_but_never_test(name: str, root: Path) -> None:
    fill(root)
    first, again, other = (data.load_data(name, seed=seed) for seed in (0, 0, 1))
    for part in ("train", "valid", "test"):
        assert getattr(first, part).images.equal(getattr(again, part).images)
        assert getattr(first, part).digits.equal(getattr(again, part).digits)
    assert first.test.images.equal(other.test.images)
    assert not first.train.images.equal(other.train.images)
    assert not first.valid.images.equal(other.valid.images)


def test_enlarging_keeps_the_picture() -> None:
    from sklearn.datasets import load_digits

    images, digits = data.embedded_digits()
    assert images.dtype == torch.uint8 and digits.dtype == torch.int64
    small = torch.nn.functional.interpolate(images[:, None].float(), size=8, mode="area").flatten(1)
    originals = torch.from_numpy(load_digits().images).float().flatten(1)
    alike = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(small, originals, strict=True)])
    assert alike.min() > 0.9
    assert digits.tolist() == load_digits().target.tolist()


def test_a_caller_cannot_change_the_next_callers_data(root: Path) -> None:
    fill(root)
    first = data.load_data("mnist")
    for part in (first.train, first.valid, first.test):
        part.images.zero_()
        part.digits.zero_()
    assert data.load_data("mnist").test.digits.tolist() == [i % 10 for i in range(20)]
    assert data.load_data("mnist").test.images.min() == -1


@pytest.mark.slow
def test_the_digits_and_every_lesson_import_nothing_that_takes_seconds() -> None:
    heavy = (
        "seaborn",
        "torchvision",
        "sklearn",
        "scipy.stats",
        "scipy.optimize",
        "matplotlib.pyplot",
        "papermill",
        "nbconvert",
    )
    code = """if True:
        import importlib, pkgutil, sys, lm_utils, lm_utils.lessons as lessons
        for found in pkgutil.iter_modules(lessons.__path__, "lm_utils.lessons."):
            if "triton" not in found.name:
                importlib.import_module(found.name)
        lm_utils.load_data("digits")
        print(*sys.modules)"""
    loaded = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    assert "lm_utils.lessons.start_here" in loaded and not {*heavy} & {*loaded}


# Requests


@pytest.mark.parametrize(
    ("name", "seed", "word"),
    [("cifar", 0, "cifar"), ("mnist", -1, "-1"), ("digits", 0.5, "0.5"), ("auto", 2**64, "seed")],
)
def test_a_bad_request_is_one_sentence(name: str, seed: int, word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        data.load_data(name, seed=seed)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_the_folder_is_read_at_each_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_DATA_DIR", str(tmp_path))
    assert mnist.raw_folder() == tmp_path / "MNIST" / "raw"
    monkeypatch.delenv("LM_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert mnist.raw_folder() == tmp_path / "cache" / "loss-misuse-lab" / "MNIST" / "raw"


# MNIST from files


def test_mnist_is_split_without_overlap(root: Path) -> None:
    raw = fill(root)
    splits = data.load_data("auto", seed=4)
    assert splits.name == "mnist" and str(raw) in splits.source
    first_pixels = [part.images[:, 0, 0, 0].add(1).mul(127.5).round().int().tolist() for part in
                    (splits.train, splits.valid, splits.test)]  # fmt: skip
    assert [len(numbers) for numbers in first_pixels] == [20, 30, 20]
    assert len({*first_pixels[0], *first_pixels[1]}) == 50
    assert first_pixels[2] == list(range(20))
    for part, numbers in zip((splits.train, splits.valid, splits.test), first_pixels, strict=True):
        assert part.digits.tolist() == [number % 10 for number in numbers]


def test_a_file_is_verified_once_and_again_when_it_changes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = fill(root)
    counted: list[object] = []
    monkeypatch.setattr(mnist.hashlib, "md5", lambda *a, **k: counted.append(a) or hashlib.new("md5", *a, **k))
    data.load_data("mnist", seed=0)
    data.load_data("mnist", seed=1)
    assert len(counted) == 4
    os.utime(raw / IMAGES, ns=(1, 1))
    data.load_data("mnist", seed=1)
    assert len(counted) == 5


@pytest.mark.parametrize("fault", BREAK)
def test_a_bad_file_without_network_is_named(offline: Path, fault: str) -> None:
    breaker, word = BREAK[fault]
    path = fill(offline) / IMAGES
    path.write_bytes(breaker(POCKET[IMAGES]))
    splits = data.load_data("auto")
    assert splits.name == "digits"
    assert str(path) in splits.source and word in splits.source and "no network" in splits.source
    with pytest.raises(UserError) as caught:
        data.load_data("mnist")
    sentence = str(caught.value)
    assert str(path) in sentence and word in sentence and "LM_DATA_DIR" in sentence
    assert sentence.endswith(".") and "\n" not in sentence


def test_bad_files_are_fetched_again(root: Path, mirror: Callable) -> None:
    mirror(genuine)
    raw = fill(root)
    for name, (breaker, _) in zip([*POCKET, *POCKET], BREAK.values(), strict=False):
        (raw / name).write_bytes(breaker(POCKET[name]))
    assert data.load_data("mnist").name == "mnist"
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == POCKET


# The download


@pytest.mark.parametrize("bad", [portal, forbidden, cut_short, nothing, flipped])
def test_the_second_mirror_helps_where_the_first_fails(root: Path, mirror: Callable, bad: Callable) -> None:
    servers = mirror(bad, genuine)
    assert "downloaded" in data.describe_data("auto") and not (root / "MNIST").exists()
    assert data.load_data("auto").name == "mnist"
    assert all(server.requests for server in servers)
    assert sorted(path.name for path in (root / "MNIST" / "raw").iterdir()) == sorted(POCKET)
    assert "from" in data.describe_data("auto")


def test_no_network_and_a_captive_portal_give_the_embedded_digits(root: Path, mirror: Callable) -> None:
    mirror(portal)
    mnist.MIRRORS[:] += ["http://127.0.0.1:9/", "http://nowhere.invalid/"]
    splits = data.load_data("auto")
    assert splits.name == "digits" and "instead of MNIST" in splits.source
    assert "corrupted" in splits.source and "refused" in splits.source and "nowhere.invalid" in splits.source
    assert not list((root / "MNIST" / "raw").iterdir())
    assert data.describe_data("auto") == splits.source


@pytest.mark.slow
@pytest.mark.parametrize(("bad", "word"), [(silent, "timed out"), (dripping, "no progress for 8 s")])
def test_a_hung_server_is_given_up(
    root: Path, mirror: Callable, monkeypatch: pytest.MonkeyPatch, bad: Callable, word: str
) -> None:
    (server,) = mirror(bad)
    monkeypatch.setattr(mnist, "STALL_SECONDS", 8.0)
    splits = data.load_data("auto")
    assert time.monotonic() - server.times[0] < 50  # by themselves, both servers end after a minute
    assert splits.name == "digits" and server.requests
    assert word in splits.source or "no progress for 8 s" in splits.source


def test_it_waits_twenty_seconds_and_no_longer() -> None:
    assert mnist.STALL_SECONDS == 20


def test_a_slow_download_that_goes_on_is_waited_for(
    root: Path, mirror: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        time.sleep(0.4)
        genuine(handler)

    mirror(slow)
    monkeypatch.setattr(mnist, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(mnist, "STALL_BYTES", 1)
    monkeypatch.setattr(mnist, "urlopen", lambda request, timeout: urlopen(request, timeout=10))
    assert data.load_data("mnist").name == "mnist"


def test_the_mirrors_are_torchvisions() -> None:
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in mnist.torchvisions_mirrors())


def test_a_failure_is_remembered_for_a_while(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []
    fail = mnist.fetch
    monkeypatch.setattr(mnist, "fetch", lambda *folder: tried.append(folder) or fail(*folder))
    for _ in range(3):
        assert "no network" in data.load_data("auto").source
    assert len(tried) == 1
    with pytest.raises(UserError):
        data.load_data("mnist")  # by name it is worth another try
    assert len(tried) == 2
    note = offline / "MNIST" / "failed-download.txt"
    soon = time.time() + mnist.RETRY_SECONDS
    os.utime(note, (soon, soon))
    assert "downloaded" in data.describe_data("auto")  # the clock was set back
    long_ago = time.time() - mnist.RETRY_SECONDS - 1
    os.utime(note, (long_ago, long_ago))
    assert "downloaded" in data.describe_data("auto")
    data.load_data("auto")
    assert len(tried) == 3


def test_what_a_killed_process_left_is_removed(offline: Path) -> None:
    left_over = offline / "MNIST" / "raw" / f".{IMAGES}.123.part"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    assert data.load_data("auto").name == "digits"
    assert not left_over.exists()


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A folder that may be read but not written; root, whom permissions do not bind, becomes somebody else."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        if os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            pytest.skip("this system lets everybody write everywhere")
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_a_read_only_folder_is_named(root: Path, ordinary_user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_DATA_DIR", str(ordinary_user))
    splits = data.load_data("auto")
    assert splits.name == "digits" and f"{ordinary_user}/MNIST/raw cannot be used" in splits.source
    with pytest.raises(UserError, match="Permission denied"):
        data.load_data("mnist")


def test_a_file_in_the_way_of_the_folder_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "file").touch()
    monkeypatch.setenv("LM_DATA_DIR", str(root / "file"))
    assert "Not a directory" in data.load_data("auto").source


def test_good_files_in_a_read_only_folder_are_enough(root: Path) -> None:
    raw = fill(root)
    for folder in (raw, raw.parent):
        folder.chmod(0o555)
    assert data.load_data("mnist").name == "mnist"
    assert not (raw.parent / "lock").exists()


@pytest.mark.slow
def test_two_processes_at_once_download_once(root: Path, mirror: Callable) -> None:
    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        genuine(handler)

    (server,) = mirror(slow)
    code = (
        "from lm_utils import data, mnist\n"
        f"mnist.FILES, mnist.MIRRORS = {mnist.FILES!r}, {mnist.MIRRORS!r}\n"
        "mnist.STALL_SECONDS = 120\n"  # the files are too small to count as progress
        "data.SIZES['mnist'] = (20, 30, 20)\n"
        "print(data.load_data('auto').name)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in both] == ["mnist\n", "mnist\n"]
    assert len(set(server.requests)) == len(server.requests) == 4


def test_a_process_that_never_finishes_is_not_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "WAIT_SECONDS", 0.1)
    (root / "MNIST").mkdir()
    with mnist.FileLock(root / "MNIST" / "lock"):
        splits = data.load_data("auto")
    assert splits.name == "digits" and "another process" in splits.source


# The genuine files


@pytest.fixture(scope="module")
def genuine_mnist() -> data.Splits:
    try:
        mnist.read(mnist.raw_folder())
    except mnist.Unavailable:
        pytest.skip("needs the MNIST files: LM_DATA_DIR names the folder that holds them")
    return data.load_data("mnist", seed=0)


@pytest.mark.mnist
def test_the_genuine_mnist_has_the_documents_splits(genuine_mnist: data.Splits) -> None:
    parts = (genuine_mnist.train, genuine_mnist.valid, genuine_mnist.test)
    assert [len(part) for part in parts] == [2_000, 3_000, 10_000]
    assert genuine_mnist.test.digits.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.mnist
def test_images_are_what_torchvision_would_give(genuine_mnist: data.Splits) -> None:
    from torchvision import transforms
    from torchvision.datasets import MNIST

    usual = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    theirs = MNIST(mnist.raw_folder().parents[1], train=False, transform=usual)
    for i in (0, 1, 5_000, 9_999):
        image, digit = theirs[i]
        assert genuine_mnist.test.images[i].equal(image) and genuine_mnist.test.digits[i] == digit


@pytest.mark.alone
@pytest.mark.mnist
def test_another_seed_is_quick(genuine_mnist: data.Splits) -> None:
    def from_the_files() -> None:
        mnist.read_file.cache_clear()
        data.load_data("mnist", seed=0)

    again, first = cost(lambda: data.load_data("mnist", seed=1), from_the_files)
    assert again < first
