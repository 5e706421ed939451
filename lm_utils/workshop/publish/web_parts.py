"""What slides and tests of accessibility need from npm: the versions of site/package-lock.json, fetched once."""

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from lm_utils.errors import UserError
from lm_utils.files import PROJECT
from lm_utils.workshop.setup import say

LISTS = ("package.json", "package-lock.json")  # the lock holds a checksum for every package, which `npm ci` verifies
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def web_part(name: str, lists: Path = PROJECT / "site", store: Path = PROJECT / "build" / "web-parts") -> Path:
    """Return the folder of an npm package of site/package.json, such as "reveal.js"; fetch it where it is missing."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(store.with_name(f"{store.name}.lock")):
        if not is_fetched(lists, store):
            fetch(lists, store)
    return store / "node_modules" / name


def is_fetched(lists: Path, store: Path) -> bool:
    """Say whether the store was filled completely, from these lists."""
    return all((store / name).is_file() and filecmp.cmp(store / name, lists / name, shallow=False) for name in LISTS)


def fetch(lists: Path, store: Path) -> None:
    """Fill the store, whole or not at all."""
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(
            "The web parts (for slides and tests of accessibility) need npm, which comes with Node.js: install it "
            "(`apt-get install npm` on Debian and Ubuntu, from nodejs.org elsewhere), then call this again."
        )
    new = store.with_name(f"{store.name}.new")
    for folder in (new, store):
        shutil.rmtree(folder, ignore_errors=True)
    new.mkdir()
    for name in LISTS:
        shutil.copyfile(lists / name, new / name)
    say(f"Fetching the packages of {lists / LISTS[0]} through npm ...")
    if subprocess.run([npm, "ci", *QUIET], cwd=new, stdout=sys.stderr).returncode:
        raise UserError("npm could not fetch the web parts (it says why above); call the same command again.")
    new.rename(store)
