"""`make site`: the executed notebooks, the pages of docs/ and the results as a web site that needs no network."""

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from lm_utils.errors import UserError
from lm_utils.evidence.claims import judge_all
from lm_utils.files import PROJECT, write_whole
from lm_utils.workshop.publish import site_pages
from lm_utils.workshop.publish.notebooks import not_executed, numbered, read
from lm_utils.workshop.publish.site_data import write_live, write_runs
from lm_utils.workshop.publish.site_notebooks import in_korean, site_notebook
from lm_utils.workshop.run_all.command import run_all

LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)")
KOREAN_WORD = re.compile(r"^\| ([가-힣][^|]*) \|", flags=re.MULTILINE)
UNLISTED = "---\norphan: true\n---\n\n"
WIDE_TABLES = ("decision-card",)
OWN_SHEETS = ("site.css", "chart.css")
KEPT = ("_static", "_images")  # browsers may keep their files for ever: the folder's name says what is in it
UNUSED = ("locales", "images", "basic.css", "scripts/fontawesome*", "**/*.map")  # of the theme; no page names them
ICONS, SEARCH = (
    re.compile(rf'<script[^>]*src="[^"]*{name}\.js[^>]*></script>')
    for name in ("fontawesome", "(?:searchtools|language_data|searchindex)")
)
OPTION = re.compile(r"<script>DOCUMENTATION_OPTIONS\.\w+ = [^<]*</script>")  # both say what is the case without them
SHEET = re.compile(r'<link [^>]*href="([^"?]+\.css)[^>]*>\s*')
IMPORT = re.compile(r'@import "([^"]+)";')
ADDRESS = re.compile(r"(?<=url\()(?![\"']?data:)[\"']?([^()\"']+)[\"']?")
EMPTY_HEAD = re.compile(r"<th((?: [^>]*)?)>\s*</th>")  # heads nothing, says a screen reader
WORD = re.compile(r"[\w-]+")
RULE = re.compile(r"([^{}]+)\{[^{}]*\}")
PICTURE = re.compile(rb"data:image/png;base64,([A-Za-z0-9+/=\s]{3000,})")


def main(root: Path = PROJECT, **settings: Any) -> int:
    """Build build/site/; `run_all` executes with its settings the notebooks without a copy in build/run-all/."""
    executed = root / "build" / "run-all"
    if missing := not_executed(root / "notebooks", executed):
        print(f"To be executed first: {', '.join(missing)}", flush=True)
        run_all(**settings, only=missing, notebooks=root / "notebooks", out=executed)
    return build(root, executed, root / "build" / "site")


def build(root: Path, executed: Path, site: Path) -> int:
    """Build the site out of executed notebooks; the old one stays where the new one is not whole."""
    began = time.monotonic()
    if missing := not_executed(root / "notebooks", executed):
        raise UserError(f"{', '.join(missing)} did not run through; `make run-all` says why, then call this again.")
    source, new = site.with_name(f"{site.name}-source"), site.with_name(f"{site.name}-new")
    for folder in (source, new):
        shutil.rmtree(folder, ignore_errors=True)
    gather(root, executed, source)
    call_sphinx(source, new)
    for page in executed.rglob("*.html"):  # as run-all made them: the notebooks as still pictures, and how the run went
        text = re.sub(r'(href="\.\./[\w/-]+)\.md', r"\1.html", page.read_text(encoding="utf-8"))
        write_whole(new / "still" / page.relative_to(executed), text)
    give_pictures_files(new)
    lighten(new)
    name_by_content(new)
    shutil.rmtree(site, ignore_errors=True)
    new.rename(site)
    pages = len(list(site.rglob("*.html")))
    print(f"{pages} pages, {time.monotonic() - began:.0f} s. To read: {site / 'index.html'}")
    return 0


def gather(root: Path, executed: Path, source: Path) -> None:
    """Lay out everything that Sphinx reads, in the repository's own order, so that links between pages hold."""
    source.mkdir(parents=True)
    shutil.copyfile(root / "site" / "conf.py", source / "conf.py")
    shutil.copytree(root / "site" / "_static", source / "_static")
    write_live(source / "_static" / "live")
    runs = write_runs(source / "_static" / "runs")
    shutil.copyfile(root / "site" / "live.md", source / "live.md")
    gather_notebooks(root, executed, source)
    frame, results = ((root / name).read_text(encoding="utf-8") for name in ("site/index.md", "docs/results.md"))
    others = [f"docs/{page.stem}" for page in sorted((root / "docs").glob("*.md"))]
    write_whole(source / "index.md", site_pages.landing_page(frame, results, others, runs))
    write_whole(source / "results.md", site_pages.results_page())
    for name, text in site_pages.claims_pages(judge_all()).items():
        write_whole(source / "claims" / name, text)
    for page in [*(root / "docs").rglob("*.md"), root / "challenge" / "README.md"]:
        wide = site_pages.WIDE if page.stem in WIDE_TABLES else ""
        write_whole(source / page.relative_to(root), wide + page.read_text(encoding="utf-8"))
    glossary = source / "docs" / "glossary.md"
    write_whole(glossary, with_language(glossary.read_text(encoding="utf-8")))
    bring_what_is_linked(root, source.resolve())


def gather_notebooks(root: Path, executed: Path, source: Path) -> None:
    """Put every executed notebook into its place, and the Korean editions beside them."""
    editions = {path.stem for path in numbered(root / "notebooks" / "ko")}
    for path in numbered(root / "notebooks"):
        done = read(executed / path.name)
        write_whole(source / "notebooks" / path.name, nbformat.writes(site_notebook(done, path.stem)))
        if path.stem in editions:
            korean = read(root / "notebooks" / "ko" / path.name)
            made = site_notebook(in_korean(done, korean, editions), path.stem, "ko")
            write_whole(source / "notebooks" / "ko" / path.name, nbformat.writes(made))


def with_language(glossary: str) -> str:
    """Return the glossary with its Korean words marked as Korean, so that they are read out right."""
    return KOREAN_WORD.sub(r'| <span lang="ko">\1</span> |', glossary)


def bring_what_is_linked(root: Path, source: Path) -> None:
    """Copy what the pages link to in the repository: other files become downloads, other texts pages of no list."""
    waiting = [*source.rglob("*.md"), *source.rglob("*.ipynb")]
    while waiting:
        page = waiting.pop()
        text = page.read_text(encoding="utf-8")
        if page.suffix == ".ipynb":
            text = "\n".join(cell.source for cell in read(page).cells if cell.cell_type == "markdown")
        for link in set(LINK.findall(text)):
            wanted = (page.parent / link).resolve()
            if not wanted.is_relative_to(source) or wanted.exists():
                continue
            original = root / wanted.relative_to(source)
            if original.suffix == ".md" and original.is_file():
                write_whole(wanted, UNLISTED + original.read_text(encoding="utf-8"))
                waiting.append(wanted)
            elif original.is_file():
                write_whole(wanted, original.read_bytes())


def call_sphinx(source: Path, target: Path) -> None:
    """Let Sphinx make the pages; a warning is an error, since it means a link or a page that is lost."""
    kept = source.with_name(f"{source.name}-doctrees")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "--fresh-env"]
    command += ["-b", "html", "-d", str(kept), str(source), str(target)]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        raise UserError(f"Sphinx could not make the site out of {source} (it says why above); correct that page.")
    for left in [target / ".buildinfo", *(target / "_static").glob("*.html")]:  # the theme's templates are no pages
        left.unlink(missing_ok=True)
    shutil.rmtree(kept)


def give_pictures_files(site: Path) -> None:
    """Move the pictures inside the pages into files, loaded when seen; 256 colours take a third of the bytes."""
    folder = site / "_static" / "pictures"
    folder.mkdir()
    for picture in (site / "_images").glob("*.png"):
        Image.open(picture).convert("RGB").quantize().save(picture, optimize=True)
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)

        def outside(found: re.Match[bytes], up: str = up) -> bytes:
            picture = base64.b64decode(found[1])
            name = f"{hashlib.sha256(picture).hexdigest()[:16]}.png"
            if not (folder / name).exists():
                Image.open(io.BytesIO(picture)).convert("RGB").quantize().save(folder / name, optimize=True)
            return f"{up}_static/pictures/{name}".encode()

        page.write_bytes(PICTURE.sub(outside, page.read_bytes()))


def name_by_content(site: Path) -> None:
    """Give the folders of scripts, styles, data and pictures names that change with what is in them."""
    for name in KEPT:
        files = sorted(path for path in (site / name).rglob("*") if path.is_file())
        told = b"".join(str(path.relative_to(site)).encode() + path.read_bytes() for path in files)
        new = f"{name}-{hashlib.sha256(told).hexdigest()[:12]}"
        if files:
            (site / name).rename(site / new)
        for page in site.glob("**/*.html"):
            page.write_bytes(re.sub(rb"(?<=[\"'/( ])%s/" % name.encode(), f"{new}/".encode(), page.read_bytes()))


def lighten(site: Path) -> None:
    """Take out what no page needs, make one style sheet of all, and let no script of the theme hold a page up."""
    folder, words = site.resolve() / "_static", set()
    sheets: dict[Path, None] = {}
    for page in site.rglob("*.html"):
        text = ICONS.sub("", page.read_text(encoding="utf-8"))  # the style sheet draws all icons already
        if page.name != "search.html":
            head, end, body = OPTION.sub("", SEARCH.sub("", text)).partition("</head>")
            text = head.replace("<script src=", "<script defer src=") + end + body
        if first := SHEET.search(text):
            sheets |= dict.fromkeys((page.parent / name).resolve() for name in SHEET.findall(text))
            up = "../" * (len(page.relative_to(site).parts) - 1)
            link = f'<link rel="stylesheet" href="{up}_static/style.css">\n'
            text = text[: first.start()] + link + SHEET.sub("", text[first.start() :])
        text = EMPTY_HEAD.sub(r"<td\1></td>", text.replace("<img ", '<img loading="lazy" '))
        page.write_text(text, encoding="utf-8")
        words.update(WORD.findall(text))
    for file in folder.rglob("*.js"):
        if file.stem not in ("fontawesome", "searchtools", "language_data"):
            words.update(WORD.findall(file.read_text(encoding="utf-8")))
    style = ""
    for sheet in sheets:
        whole = whole_sheet(sheet, folder)
        own = sheet.name in OWN_SHEETS  # their scripts compose names of classes
        style += whole if own else RULE.sub(lambda rule: rule[0] if is_used(rule[1], words) else "", whole)
    write_whole(folder / "style.css", style)
    for left in [*sheets, *(file for pattern in UNUSED for file in folder.glob(pattern))]:
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def whole_sheet(sheet: Path, folder: Path) -> str:
    """Return a style sheet with those that it imports, without comments, and with addresses as seen from a folder."""
    style = re.sub(r"/\*.*?\*/|@charset[^;]*;", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    style = ADDRESS.sub(lambda found: Path(os.path.relpath(sheet.parent / found[1], folder)).as_posix(), style)
    return IMPORT.sub(lambda found: whole_sheet((sheet.parent / found[1]).resolve(), folder), style)


def is_used(selectors: str, words: set[str]) -> bool:
    """Say whether a rule is about something that pages with these words can hold."""
    plain = re.sub(r"\([^()]*\)", "", selectors).split(",")  # what stands in brackets, such as :not, need not be there
    return any(words.issuperset(re.findall(r"\.([A-Za-z_-][\w-]*)", one)) for one in plain)
