"""Builds every edition of every notebook from its one source, `notebooks/src/NN_name.py`."""

import ast
import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from lm_utils.errors import UserError
from lm_utils.files import PROJECT, write_whole
from lm_utils.workshop.publish import minutes
from lm_utils.workshop.publish.korean import changed_since_translated, renew

NAME = re.compile(r"\d\d_\w+")
BESIDE = re.compile(r"""(\]\(|href=["'])(\d\d_\w+)\.ipynb""")
KEPT_METADATA = ("tags", "slideshow")
QUESTIONS = {"predict", "check", "check_function", "check_pairing", "check_script"}
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources(root: Path = PROJECT) -> list[Path]:
    """Return the notebooks' sources in the order of their numbers."""
    found = sorted((root / "notebooks" / "src").glob("*.py"))
    if not found:
        raise UserError(f"{root / 'notebooks' / 'src'} holds no notebook source; run this in the repository.")
    numbers: dict[str, str] = {}
    for path in found:
        if not NAME.fullmatch(path.stem):
            raise UserError(f"{path} must be named NN_name.py, like 01_losses.py; rename it.")
        number = path.stem[:2]
        if numbers.setdefault(number, path.name) != path.name:
            raise UserError(f"{path.name} and {numbers[number]} share the number {number}; rename one.")
    return found


def build(source: Path, edition: str = "student", korean: frozenset[str] = frozenset()) -> NotebookNode:
    """Return one edition ("student", "teacher" or "korean") of a source as a notebook without outputs.

    `korean` names the notebooks that exist in Korean; links to others lead out of that folder.
    """
    cells = list(jupytext.read(source, fmt="py:percent").cells)
    counted = [cell for cell in cells if not {"lang-ko", "solution"}.intersection(_tags(cell))]
    cells = _translated(cells, source) if edition == "korean" else [c for c in cells if "lang-ko" not in _tags(c)]
    if edition != "teacher":
        cells = [cell for cell in cells if "solution" not in _tags(cell)]
    if edition == "korean":
        for cell in cells:
            if cell.cell_type == "markdown":
                cell.source = lead_out(cell.source, korean)
    minutes.write_times(cells, counted, "korean" if edition == "korean" else "english")
    try:
        notebook = nbformat.v4.new_notebook(cells=list(_clean(cells)), metadata=NOTEBOOK_METADATA)
    except SyntaxError as error:
        raise UserError(f"{source.name}: a cell is not valid Python ({error.msg}: {error.text!r}).") from error
    nbformat.validate(notebook)
    return notebook


def has_korean(source: Path) -> bool:
    """Say whether a source holds Korean text."""
    return 'tags=["lang-ko"]' in source.read_text("utf-8")


def student_files(root: Path = PROJECT) -> dict[Path, str]:
    """Return every file that `make notebooks` keeps, with its text: English, Korean where it exists, and their list."""
    korean = frozenset(path.stem for path in sources(root) if has_korean(path))
    english = {path.stem: build(path) for path in sources(root)}
    files = {root / "notebooks" / f"{stem}.ipynb": _text(notebook) for stem, notebook in english.items()}
    for path in sources(root):
        if path.stem in korean:
            files[root / "notebooks" / "ko" / f"{path.stem}.ipynb"] = _text(build(path, "korean", korean))
    return files | {root / "notebooks" / "README.md": minutes.page(english)}


def teacher_files(root: Path = PROJECT) -> dict[Path, str]:
    """Return the teacher's edition, in which every exercise is followed by its solution."""
    folder = root / "build" / "solutions"
    return {folder / f"{path.stem}.ipynb": _text(build(path, "teacher")) for path in sources(root)}


def outdated(files: dict[Path, str]) -> list[Path]:
    """Return the files that are missing or differ from what their source says."""
    return [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]


def strays(wanted: Collection[Path], root: Path = PROJECT) -> list[Path]:
    """Return built notebooks that are not wanted, since their source is gone."""
    built = [*numbered(root / "notebooks"), *numbered(root / "notebooks" / "ko")]
    return [path for path in built if path not in wanted]


def main(check: bool = False, solutions: bool = False, translated: bool = False, root: Path = PROJECT) -> int:
    """Build the notebooks (or the teacher's edition), or with `check` only say what is out of date.

    With `translated`, mark every Korean cell as the translation of its English cell as it stands now.
    """
    translations = [] if solutions else [path for path in sources(root) if has_korean(path)]
    if translated and not check:
        for path in translations:
            renew(path)
    to_translate = [sentence for path in translations for sentence in changed_since_translated(path)]
    files = teacher_files(root) if solutions else student_files(root)
    old = outdated(files)
    gone = [] if solutions else strays(files, root)
    if not check:
        for path in old:
            write_whole(path, files[path])
    what = "differs from its source; run `make notebooks`" if check else "built"
    told = [f"{path.relative_to(root)}: {what}" for path in old]
    told += [f"{path.relative_to(root)}: has no source any more; delete it" for path in gone]
    told += to_translate
    print("\n".join(told) or "All notebooks are up to date.")
    return 1 if check and told else 0


def asks(source: str) -> bool:
    """Say whether a cell ends in a question and has no gap to fill: its source holds the answer and is folded away."""
    body = ast.parse(re.sub(r"^\s*[%!].*$", "pass", source, flags=re.MULTILINE)).body
    call = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    stub = any(isinstance(node, ast.Constant) and node.value is ... for part in body for node in ast.walk(part))
    return name in QUESTIONS and not stub


# --- executed copies ---


def numbered(folder: Path) -> list[Path]:
    """Return the notebooks of a folder, in the order of their numbers."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Return a notebook from its file."""
    return nbformat.read(path, as_version=4)


def lesson(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells of a notebook without the one that papermill put in."""
    return [cell for cell in notebook.cells if "injected-parameters" not in _tags(cell)]


def is_executed(notebook: Path, copied: Path) -> bool:
    """Say whether the second file is an executed copy of the first one, which was not edited since."""
    if not copied.exists():
        return False
    cells = [[(cell.cell_type, cell.source) for cell in lesson(read(path))] for path in (notebook, copied)]
    return cells[0] == cells[1]


def not_executed(notebooks: Path, executed: Path) -> list[str]:
    """Return the names of the notebooks that have no executed copy of their text as it stands now."""
    return [path.stem for path in numbered(notebooks) if not is_executed(path, executed / path.name)]


# --- inner workings ---


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _translated(cells: list[NotebookNode], source: Path) -> list[NotebookNode]:
    """Let each Korean cell take the place of the English markdown cell before it."""
    result: list[NotebookNode] = []
    for cell in cells:
        if "lang-ko" in _tags(cell):
            if not result or result[-1].cell_type != "markdown" or "lang-ko" in _tags(result[-1]):
                first = cell.source.splitlines()[0]
                raise UserError(f"{source.name}: the Korean cell {first!r} must follow the English cell it translates.")
            result.pop()
        result.append(cell)
    return result


def lead_out(text: str, korean: Collection[str]) -> str:
    """Let links to notebooks without a Korean edition lead to the English one, a folder above."""
    return BESIDE.sub(lambda link: link[0] if link[2] in korean else f"{link[1]}../{link[2]}.ipynb", text)


def _clean(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield the cells with nothing but type, text and tags, and with ids that hang on the text alone."""
    seen: dict[str, int] = {}
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[digest] = seen.get(digest, 0) + 1
        new = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
        if cell.cell_type == "code" and asks(cell.source):
            metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}  # for JupyterLab, and for Colab
        name = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        yield new(cell.source, id=name, metadata=metadata)


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
