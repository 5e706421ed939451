"""A sweep on a real scheduler with two worker processes on this machine: nothing is lost, nothing comes twice."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lm_utils.files import read_lines
from lm_utils.pairing import Pairing
from lm_utils.runs import cluster, robustness
from lm_utils.runs.conditions import CONDITIONS
from lm_utils.runs.store import Store
from lm_utils.runs.sweep import sweep, sweep_entries
from lm_utils.training import EXPERIMENT_VERSION

reason = "needs the extra `cluster`: python -m lm_utils setup --extras=cluster"
Client = pytest.importorskip("distributed", reason=reason).Client

pytestmark = pytest.mark.slow
QUICK = dict(data="digits", max_epochs=1, progress=False)
PAIRING = Pairing("probability", "bce", "sigmoid")
DEADLINE = 600


class Machines:
    """A scheduler and its workers, each a process of its own on the loopback address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2])

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a part of the cluster; a worker of this test has no MNIST and never asks for it."""
        (self.folder / "file").touch()
        environment = {**os.environ, "LM_DATA_DIR": str(self.folder / "file")}
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def worker(self, *options: str) -> subprocess.Popen:
        """Start a worker with one thread."""
        options = ("--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", *options)
        return self.start("worker", self.address, *options)

    def end(self) -> None:
        """End all of it."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def machines(tmp_path_factory) -> Iterator[Machines]:
    found = Machines(tmp_path_factory.mktemp("cluster"))
    try:
        found.first, found.second = found.worker(), found.worker("--resources", "GPU=1")
        with Client(found.address, timeout=DEADLINE, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=DEADLINE)
        yield found
    finally:
        found.end()


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "runs")


def test_a_cluster_gives_the_numbers_of_this_machine(machines, store, tmp_path):
    pairings = [PAIRING, Pairing("regression", "bce", normalize=True)]
    there = sweep(pairings, range(2), cluster=machines.address, store=store, **QUICK)
    here = sweep(pairings, range(2), device="cpu", jobs=1, store=Store(tmp_path / "here"), **QUICK)
    assert there.status.tolist() == here.status.tolist() == ["ok", "error"] * 2
    assert there.test_metric.tolist() == pytest.approx(here.test_metric.tolist(), abs=1e-3, nan_ok=True)
    assert len(list(store.folder.rglob("*.json"))) == 4  # stored by the one who asked, not by a worker
    again = []
    sweep(pairings, range(2), cluster=machines.address, store=store, on_run=again.append, **QUICK)
    assert again == []


def test_a_job_that_needs_a_gpu_goes_to_a_worker_that_declares_one(machines):
    def process(_key: int) -> int:
        return os.getpid()

    seen = {}
    cluster.on_cluster(machines.address, process, range(5), seen.__setitem__, progress=False, needs=cluster.ON_GPU)
    assert seen == dict.fromkeys(range(5), machines.second.pid)


def test_a_changed_condition_travels_to_a_worker(machines, tmp_path, monkeypatch):
    monkeypatch.setenv("LM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(robustness, "RESULTS", tmp_path)
    condition = replace(CONDITIONS["collapse"][1], max_epochs=1)
    robustness.extend([condition], range(1), "digits", "cpu", None, machines.address)
    entry = read_lines(tmp_path / "robustness" / "digits" / "collapse.jsonl")[0]
    assert entry["condition"] == condition.name and len(entry["trace"]) == 2


def test_a_worker_that_lacks_the_data_says_so(machines, store):
    with pytest.raises(ValueError, match=r"^A worker of tcp://.* says: MNIST cannot be had: .*LM_DATA_DIR") as told:
        sweep([PAIRING], [0], cluster=machines.address, store=store, **{**QUICK, "data": "mnist"})
    assert "\n" not in str(told.value)


def test_an_interrupt_cancels_what_waits_and_keeps_what_is_finished(machines, store):
    def interrupt(_entry: dict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep([PAIRING], range(20), cluster=machines.address, store=store, on_run=interrupt, **QUICK)
    assert len(list(store.folder.rglob("*.json"))) == 1
    with cluster.connected(machines.address) as client:
        known = lambda dask_scheduler: len(dask_scheduler.tasks)  # noqa: E731
        deadline = time.monotonic() + DEADLINE
        while client.run_on_scheduler(known) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert client.run_on_scheduler(known) == 0


def test_a_worker_may_die_and_another_may_come(machines, store):
    trained = []

    def kill_one(entry: dict) -> None:
        trained.append((entry["loss"], entry["seed"]))
        if len(trained) == 2:
            machines.first.kill()
        if len(trained) == 3:
            machines.worker()

    entries = sweep_entries([PAIRING], range(12), cluster=machines.address, store=store, on_run=kill_one, **QUICK)
    assert machines.first.poll() is not None
    assert sorted(trained) == [("bce", seed) for seed in range(12)]
    assert [entry["seed"] for entry in entries] == list(range(12))
    assert len(list(store.folder.rglob("*.json"))) == 12


@pytest.mark.parametrize("silent", [False, True])
def test_an_address_without_a_scheduler_is_one_sentence(silent, store, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if silent:
            nobody.listen()
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(ValueError, match=rf"^No Dask scheduler answers at {address}; start one") as told:
            sweep([PAIRING], [0], cluster=address, store=store, **QUICK)
    assert "\n" not in str(told.value) and not store.folder.exists()


@pytest.mark.parametrize("address", ["nonsense", "http:/x"])
def test_a_bad_address_is_one_sentence(address, store, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with pytest.raises(ValueError, match=r"^No Dask scheduler answers at"):
        sweep([PAIRING], [0], cluster=address, store=store, **QUICK)


def test_without_the_package_the_extra_is_named(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"needs the package distributed; .*--extras=cluster"):
        sweep([PAIRING], [0], cluster="tcp://127.0.0.1:1", store=store, **QUICK)


def test_a_worker_of_another_version_is_refused():
    cluster.check_version({"version": EXPERIMENT_VERSION})
    with pytest.raises(ValueError, match="install the same lm_utils everywhere"):
        cluster.check_version({"version": EXPERIMENT_VERSION + 1})


def test_groups_keep_every_run_and_hold_kin_together():
    keys = [(Pairing("binary", loss, "softmax"), seed) for seed in range(100) for loss in ("mse", "bce", "mae")]
    groups = cluster.grouped(keys)
    assert sorted(repr(key) for group in groups for key in group) == sorted(map(repr, keys))
    losses = [key[0].loss for group in groups for key in group]
    assert max(map(len, groups)) <= cluster.GROUP and losses == sorted(losses)


def test_a_scheduler_that_ends_is_one_sentence(machines, store):
    """The last one here: nothing works without the scheduler."""
    with pytest.raises(ValueError, match=r"^The scheduler at tcp://.* is gone; what was finished is kept"):
        sweep([PAIRING], range(60), cluster=machines.address, store=store,
              on_run=lambda entry: machines.scheduler.kill(), **QUICK)  # fmt: skip
    assert list(store.folder.rglob("*.json"))
