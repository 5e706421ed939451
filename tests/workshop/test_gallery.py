"""The gallery shows every part of the course, with pictures that a page may load and that speak in words too."""

import re

from lm_utils.files import PROJECT
from lm_utils.workshop.publish import gallery


def test_the_page_is_written_with_its_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "EXHIBITS", [one for one in gallery.EXHIBITS if one.name in ("escape", "floors")])
    gallery.main(tmp_path / "gallery.md")
    page = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[(.+?)\]\((.+?)\)", page)
    assert len(shown) == 2 and all(len(words) > 40 and (tmp_path / path).is_file() for words, path in shown)
    assert page.count("## [") == 2 and "06_bce_and_logits" in page


def test_what_nobody_has_measured_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "EXHIBITS", [gallery.Exhibit("none", "15_verdicts", lambda: "not yet", "")])
    gallery.main(tmp_path / "gallery.md")
    assert "15_verdicts" not in (tmp_path / "gallery.md").read_text(encoding="utf-8")


def test_the_committed_page_has_every_exhibit_and_small_pictures():
    page = gallery.PAGE.read_text(encoding="utf-8")
    folder = gallery.PAGE.parent / "figures" / "gallery"
    pictures = {path.stem: path.stat().st_size for path in folder.glob("*.png")}
    assert set(pictures) <= {one.name for one in gallery.EXHIBITS} and max(pictures.values()) < 300_000
    for one in gallery.EXHIBITS:
        assert (PROJECT / "notebooks" / f"{one.notebook}.ipynb").is_file()
        assert (one.name in pictures) == (f"gallery/{one.name}.png" in page)
    assert len(pictures) >= 17 and "docs/gallery.md" in (PROJECT / "README.md").read_text(encoding="utf-8")
