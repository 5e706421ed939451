"""The lock: constraints.txt pins the exact version of every package that the project stands on."""

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lm_utils.errors import UserError
from lm_utils.files import PROJECT
from lm_utils.workshop.templates import filled


def main(path: Path = PROJECT / "constraints.txt") -> int:
    """Write the versions of this environment into the lock file."""
    if importlib.metadata.version("torch").endswith("+cpu"):
        raise UserError("This environment has the CPU build of PyTorch; write the lock from the ordinary one.")
    pins = installed_versions()
    path.write_text(filled("constraints.txt", pins=pins), encoding="utf-8")
    print(f"{path.name}: {len(pins)} packages.")
    return 0


def read_lock(path: Path = PROJECT / "constraints.txt") -> dict[str, str]:
    """The pinned version of each package, by normalised name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def installed_versions(start: str = "lm_utils[test]") -> dict[str, str]:
    """The installed version of everything that `start` needs, directly or not, without `start` itself."""
    versions: dict[str, str] = {}
    waiting, seen = [Requirement(start)], set()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        found = importlib.metadata.distribution(wanted.name)
        versions[key[0]] = found.version.split("+")[0]
        for need in map(Requirement, found.requires or []):  # those of this platform and of the extras asked for
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in wanted.extras or {""}):
                waiting.append(need)
    del versions[canonicalize_name(Requirement(start).name)]
    return versions
