"""The web site before Sphinx: notebooks made ready, pages written from data, broken links found."""

import io
import json
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from links import broken
from made_up_runs import results_of, seeded
from made_up_site import RICH, rich, small_repository, with_parameters
from markdown_it import MarkdownIt
from PIL import Image, ImageChops, ImageStat

from lm_utils.errors import UserError
from lm_utils.evidence.claims import Judged, claims
from lm_utils.evidence.claims.claim import KINDS, VERDICTS
from lm_utils.evidence.reference_lines import ReferenceLines
from lm_utils.evidence.results import FITTING
from lm_utils.evidence.tables import readable, summary
from lm_utils.files import write_whole
from lm_utils.pairing import Pairing
from lm_utils.runs.rows import rows
from lm_utils.show.style import image_tag, new_figure
from lm_utils.tasks import TASKS
from lm_utils.workshop.publish import site, site_data, site_pages
from lm_utils.workshop.publish.notebooks import not_executed, read
from lm_utils.workshop.publish.site_notebooks import in_korean, site_notebook
from lm_utils.workshop.run_all.pages import WIDGET_STATE
from lm_utils.workshop.templates import plain


class Cells(HTMLParser):
    """The body rows of every table of a page, as the text of their cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self.inside = tag == "td" or (self.inside and tag not in ("tr", "th"))

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "td"


def html_of(markdown: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(markdown)


def cells_of(page: str) -> list[list[str]]:
    """What a reader sees in the cells of a page's filtered table."""
    reader = Cells()
    reader.feed(html_of(re.search(r"```\{container\} filtered\n(.*?)\n```", page, re.DOTALL)[1]))
    return [[cell.strip() for cell in row] for row in reader.rows if row]


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    """The executed copies of a small repository, which is two folders above."""
    return small_repository(tmp_path_factory.mktemp("repository"))


# --- notebooks -------------------------------------------------------------------------------------------------------


def test_a_notebook_page_says_what_it_is_and_how_to_turn_the_widgets():
    made = site_notebook(with_parameters(rich()), RICH)
    assert made.cells[0].source.startswith("# 01")
    note = made.cells[1].source
    assert "data = 'digits', seeds = 1" in note
    assert "`make lab`" in note and f"notebooks/{RICH}.ipynb" in note
    assert not [cell for cell in made.cells if "injected-parameters" in cell.metadata.get("tags", [])]


def test_a_notebook_without_widgets_speaks_of_none():
    plain = rich()
    del plain.metadata["widgets"]
    assert "make lab" not in site_notebook(with_parameters(plain), RICH).cells[1].source


def test_the_source_of_a_question_is_left_out_because_it_holds_the_answer():
    made = site_notebook(rich(), RICH)
    hidden = [cell.source for cell in made.cells if "remove-input" in cell.metadata.get("tags", [])]
    assert hidden == ["predict()"]


def test_links_in_outputs_and_widgets_lead_to_pages():
    text = nbformat.writes(site_notebook(rich(), RICH))
    assert text.count("00_start_here.html") == 1 and text.count("15_verdicts.html") == 1
    assert "15_verdicts.ipynb" not in text


def test_a_lab_is_a_still_picture_without_a_button():
    made = site_notebook(rich(), RICH)
    lab = next(cell for cell in made.cells if cell.source == "error_lab()").outputs[0].data["text/html"]
    assert lab.startswith('<div class="still" data-lab="error_lab">') and "<img alt=" in lab and "error 2" in lab
    text = nbformat.writes(made)
    assert not re.search(r"<(button|select|input)|widget-view", text) and "widgets" not in made.metadata


def test_a_question_unfolds_where_there_is_no_javascript():
    made = site_notebook(rich(), RICH)
    asked = next(cell for cell in made.cells if cell.source == "predict()").outputs[0].data["text/html"]
    assert "<details><summary>Show the answer</summary><b>this</b> Because.</details>" in asked


def test_pictures_leave_the_pages_for_files_named_after_their_content(tmp_path):
    figure, axis = new_figure()
    axis.imshow([[1, 2], [3, 4]])
    figure.set_label("Four squares.")
    page = image_tag(figure)
    stored = b64decode(site.PICTURE.search(page.encode())[1])
    for name in ("a.html", "deep/er/b.html"):
        write_whole(tmp_path / name, page)
    (tmp_path / "_static").mkdir()
    site.give_pictures_files(tmp_path)
    (file,) = (tmp_path / "_static" / "pictures").iterdir()
    before, after = (Image.open(one).convert("RGB") for one in (io.BytesIO(stored), file))
    assert ImageStat.Stat(ImageChops.difference(before, after)).rms < [2] * 3 and file.stat().st_size < 0.8 * len(
        stored
    )
    for name, up in (("a.html", ""), ("deep/er/b.html", "../../")):
        assert f'src="{up}_static/pictures/{file.name}"' in (tmp_path / name).read_text()


def test_a_folder_of_scripts_is_renamed_when_one_of_them_changes(tmp_path):
    names = []
    for number in range(3):
        root = tmp_path / str(number)
        write_whole(root / "_static" / "deep" / "a.js", "let a;" if number < 2 else "let b;")
        write_whole(
            root / "notebooks" / "a.html", '<script src="../_static/deep/a.js?v=1"></script><code>my_static/x</code>'
        )
        site.name_by_content(root)
        (folder,) = root.glob("_static*")
        names.append(folder.name)
        assert f'src="../{folder.name}/deep/a.js?v=1"' in (root / "notebooks" / "a.html").read_text()
        assert "my_static/x" in (root / "notebooks" / "a.html").read_text() and (folder / "deep" / "a.js").is_file()
    assert names[0] == names[1] != names[2]


def test_korean_pages_have_the_outputs_of_the_english_ones():
    english = with_parameters(rich())
    korean = nbformat.v4.new_notebook(cells=[cell for cell in rich().cells if cell.cell_type == "code"])
    korean.cells = [nbformat.v4.new_code_cell(cell.source) for cell in korean.cells]
    korean.cells.insert(0, nbformat.v4.new_markdown_cell("# 손실 함수"))
    made = in_korean(english, korean, {"00_start_here", "15_verdicts"})
    assert made.cells[0].source == "# 손실 함수"
    assert [c.outputs for c in made.cells[1:]] == [c.outputs for c in english.cells if c.get("outputs")]
    assert WIDGET_STATE in made.metadata.widgets
    upwards = nbformat.writes(in_korean(english, korean, {"00_start_here"}))
    assert "](00_start_here.ipynb)" in upwards and '\\"../15_verdicts.ipynb\\"' in upwards
    korean.cells[1].source = "something_else()"
    with pytest.raises(ValueError, match="differs from the English one; run `make notebooks`"):
        in_korean(english, korean)


def test_what_is_missing_or_was_edited_since_counts_as_not_executed(executed, tmp_path):
    notebooks = executed.parents[1] / "notebooks"
    assert not_executed(notebooks, executed) == []
    assert len(not_executed(notebooks, tmp_path)) == len(list(notebooks.glob("*.ipynb"))) > 0
    edited = read(notebooks / f"{RICH}.ipynb")
    edited.cells[0].source += " more"
    nbformat.write(edited, tmp_path / f"{RICH}.ipynb")
    assert not_executed(tmp_path, executed) == [RICH]


# --- pages written from data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a < b | *c* _d_ `e` $f$ [g](h) \\n # i", "1. x", "- y", "&amp; {role}`z`", "a\nb"])
def test_plain_text_stays_as_it_is(text):
    seen = re.sub(r"<[^>]+>", "", html_of(plain(text))).strip()
    assert seen.replace("&lt;", "<").replace("&amp;", "&") == " ".join(text.split())


def test_the_results_browser_shows_every_row_as_the_results_have_it():
    scores = {"multiclass": [0.9, 0.91, 0.92, 0.9, 0.93, 0.91, 0.9], "regression": [0.05, 0.06]}
    told = [seeded(FITTING[task], values) for task, values in scores.items()]
    told.append(seeded(Pairing("multiclass", "bce", "sigmoid"), [0.1135] * 7))
    results = results_of(*told)
    shown = cells_of(site_pages.results_page(results))
    expected = []
    for task in TASKS:
        for table in dict.fromkeys(row.table for row in rows(task)):
            frame = readable(summary(task, table, results)).frame
            for row, line in zip(rows(task, table), frame.to_dict("records"), strict=True):
                told = [line[name] for name in site_pages.COLUMNS[2:]]
                expected.append([TASKS[task].title, site_pages.origin_of(row), *told])
    assert sorted(shown) == sorted(expected)
    assert len(shown) == len(rows())
    collapsed = next(line for line in shown if line[0].startswith("Multi-class") and line[2] == "nn.BCELoss + sigmoid")
    assert collapsed[4:7] == ["11.35 % (11.35 to 11.35 %)", "7", "7 of 7 (65 to 100 %)"] and collapsed[8] == "worse"


def test_every_published_figure_stands_in_the_results_browser():
    shown = cells_of(site_pages.results_page(results_of()))
    published = [row.test is not None or bool(row.published_error) for row in rows()]
    assert sum(bool(line[3]) for line in shown) == sum(published)


def judged_claims() -> list[Judged]:
    """Every claim with a verdict that nobody came to."""
    verdicts = list(VERDICTS)
    return [Judged(claim, verdicts[i % len(verdicts)], "0 < 1 | *so*") for i, claim in enumerate(claims())]


def test_every_claim_has_a_page_with_verdict_evidence_and_the_test_that_decides():
    judged = judged_claims()
    pages = site_pages.claims_pages(judged, results_of())
    assert set(pages) == {"index.md", *(f"{claim.id}.md" for claim in claims())}
    for one in judged:
        page = pages[f"{one.claim.id}.md"]
        assert plain(one.claim.says) in page and plain(one.signed) in page
        assert r"0 \< 1 \| \*so\*" in page
        decided = one.claim.test and f"def {one.claim.test.__name__}(" in page and KINDS[one.claim.kind] in page
        assert decided or (one.claim.kind == "none" and "No test" in page)


def test_the_index_of_claims_lists_them_all_and_counts_them():
    judged = judged_claims()
    index = site_pages.claims_pages(judged, results_of())["index.md"]
    shown = cells_of(index)
    assert [(line[0], line[3]) for line in shown] == [(one.claim.document, one.signed) for one in judged]
    assert re.findall(r"\]\((.+?)\.md\)", index) == [claim.id for claim in claims()]
    assert all(f"\n{claim.id}\n" in index for claim in claims())


def test_the_landing_page_shows_the_figures_of_the_results_with_their_alt_texts():
    frame = (site.PROJECT / "site" / "index.md").read_text(encoding="utf-8")
    results = (site.PROJECT / "docs" / "results.md").read_text(encoding="utf-8")
    runs = {"presets": [{"title": "One", "told": "What it is.", "learnt": "1 of 3"}], "files": {"x": "</script>"},
            "start": ["x"]}  # fmt: skip
    page = site_pages.landing_page(frame, results, ["docs/glossary", "docs/new"], runs)
    pictures = re.findall(r"!\[(.*?)\]\((docs/figures/[\w-]+\.png)\)", page)
    assert "| One | What it is. | 1 of 3 |" in page and r'{"x":"<\/script>"}' in page
    assert len(pictures) == 4 and all(len(alt) > 40 and (site.PROJECT / path).exists() for alt, path in pictures)
    assert "| published |" not in page  # the tables have a page of their own
    assert "\ndocs/new\n" in page and page.count("\ndocs/glossary\n") == 1
    with pytest.raises(ValueError, match="has no figures"):
        site_pages.landing_page(frame, "nothing", [], runs)


def test_korean_words_of_the_glossary_are_marked_as_korean():
    text = (site.PROJECT / "docs" / "glossary.md").read_text(encoding="utf-8")
    marked = site.with_language(text)
    assert marked.count('<span lang="ko">') == len(re.findall(r"^\| [가-힣]", text, re.MULTILINE)) > 40


# --- links -----------------------------------------------------------------------------------------------------------

WIDGETS = json.dumps({"state": {"x": {"state": {"value": "<p></p><a href='gone.html'>"}}}})
SOUND = """<html><link rel="stylesheet" href="site.css"><link rel="next" href="b.html#there">
<img src="data:image/png,x"><a href="b.html#there">b</a><a href="#here">here</a><a id="here"></a><a href="https://example.org/x">out</a></html>"""


def put_site(folder: Path, **pages: str) -> Path:
    for name, text in {"a": SOUND, "b": "<p id='there'>", **pages}.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    (folder / "site.css").write_text("p { background: url(x.png) }", encoding="utf-8")
    return folder


def test_sound_pages_have_no_fault(tmp_path):
    assert broken(put_site(tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<a href='gone.html'>", "links to gone.html, which does not exist"),
        ("<a href='b.html#lost'>", "links to b.html#lost, which has no such anchor"),
        ("<a href='#lost'>", "links to #lost, which has no such anchor"),
        ("<a href='../outside.html'>", "links to ../outside.html, which does not exist"),
        ("<a href='.'>", "links to ., which does not exist"),
        ("<img src='gone.png'>", "loads gone.png, which does not exist"),
        ("<script src='//cdn.example.org/x.js'></script>", "loads //cdn.example.org/x.js from elsewhere"),
        ("<link rel='stylesheet' href='https://example.org/x.css'>", "loads https://example.org/x.css from elsewhere"),
        (
            f"<script type='{WIDGET_STATE}'>" + WIDGETS + "</script>",
            "links to gone.html, which does not exist",
        ),
    ],
)
def test_a_broken_page_is_named(tmp_path, text, fault):
    (tmp_path / "outside.html").touch()
    (tmp_path / "site").mkdir()
    assert broken(put_site(tmp_path / "site", c=text)) == [f"c.html {fault}"]


def test_a_style_sheet_that_asks_a_network_is_named(tmp_path):
    put_site(tmp_path)
    (tmp_path / "site.css").write_text("@import 'https://example.org/font.css';", encoding="utf-8")
    assert broken(tmp_path) == ["site.css loads https://example.org/font.css from elsewhere"]


# --- building --------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """Build without judging, with a few of the reference lines, and let "Sphinx" copy what it was given."""
    lines, none = site_data.stored_reference_lines, ReferenceLines(None, None, 0.5, None)

    def pretend(source: Path, target: Path) -> None:
        target.mkdir(parents=True)
        (target / "_static").mkdir()
        (target / "index.html").write_text("<html></html>", encoding="utf-8")

    def few(pairing: Pairing, *place: object) -> ReferenceLines:
        return lines(pairing, *place) if pairing.loss == "bce" else none  # all take a minute

    monkeypatch.setattr(site_data, "stored_reference_lines", few)
    monkeypatch.setattr(site, "judge_all", lambda: judged_claims()[:3])
    monkeypatch.setattr(site, "call_sphinx", pretend)


@pytest.mark.slow
def test_everything_is_laid_out_as_in_the_repository(executed, quick, tmp_path):
    root = executed.parents[1]
    site.gather(root, executed, tmp_path / "source")
    laid = {path.relative_to(tmp_path / "source").as_posix() for path in (tmp_path / "source").rglob("*.*")}
    pages = {"index.md", "results.md", "claims/index.md", "docs/glossary.md", "docs/ko/decision-card.md"}
    linked = {"docs/decision-card.pdf", "challenge/1_ten_digits.py", "tests/challenge/solutions.toml", "LICENSE",
              "docs/figures/ten-classes.png"}  # fmt: skip
    assert pages | linked - {"LICENSE"} <= laid and (tmp_path / "source" / "LICENSE").exists()
    built = len(list((root / "notebooks").glob("*.ipynb")))
    assert len([name for name in laid if re.fullmatch(r"notebooks/\d\d_\w+\.ipynb", name)]) == built > 0
    assert len([name for name in laid if name.startswith("notebooks/ko/")]) == 2
    assert not [name for name in laid if "package" in name]


def test_what_a_page_links_to_comes_along_with_what_that_links_to(tmp_path):
    root, source = tmp_path / "root", tmp_path / "source"
    write_whole(root / "results" / "speed.md", "# Speed\n\n![a curve](speed.png) [gone](gone.md)")
    write_whole(root / "results" / "speed.png", "a picture")
    write_whole(root / "secret.txt", "nobody links here")
    write_whole(source / "docs" / "page.md", "[speed](../results/speed.md#part) [far](../../root/secret.txt)")
    site.bring_what_is_linked(root, source)
    found = {path.relative_to(source).as_posix() for path in source.rglob("*.*")}
    assert found == {"docs/page.md", "results/speed.md", "results/speed.png"}
    assert (source / "results" / "speed.md").read_text(encoding="utf-8").startswith("---\norphan: true\n---\n\n# Speed")


@pytest.mark.slow
def test_a_site_that_sphinx_refuses_does_not_replace_the_old_one(executed, quick, tmp_path, monkeypatch, capfd):
    root, target = executed.parents[1], tmp_path / "site"
    site.build(root, executed, target)
    assert "pages, " in capfd.readouterr().out
    (target / "mark").touch()
    monkeypatch.undo()
    monkeypatch.setattr(site, "gather", lambda root, executed, source: source.mkdir())  # without conf.py
    with pytest.raises(UserError, match="Sphinx could not make the site"):
        site.build(root, executed, target)
    assert (target / "mark").exists()


@pytest.mark.slow
def test_only_missing_notebooks_are_executed_and_one_that_fails_is_named(executed, quick, monkeypatch):
    root, calls = executed.parents[1], []
    monkeypatch.setattr(site, "run_all", lambda notebooks, out, **options: calls.append(options))
    assert site.main(root=root) == 0
    assert calls == []
    gone = executed / f"{RICH}.ipynb"
    text = gone.read_text(encoding="utf-8")
    gone.unlink()
    try:
        with pytest.raises(ValueError, match=f"{RICH} did not run through; `make run-all` says why"):
            site.main(data="digits", seeds=1, root=root)
    finally:
        gone.write_text(text, encoding="utf-8")
    assert calls == [{"data": "digits", "seeds": 1, "only": [RICH]}]


def test_a_claim_nobody_can_test_says_so():
    judged = replace(judged_claims()[0], claim=replace(claims()[0], kind="none", test=None, arguments={}))
    assert "No test: nobody ran" in site_pages.claim_page(judged, "nowhere")
