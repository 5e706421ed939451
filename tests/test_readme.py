"""The README's pictures and table come from the results, and their place is found again."""

import re

import pytest

from lm_utils.publish import readme


def test_pictures_and_table_are_written_between_the_marks(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"# Title\n\n{readme.BEGIN}\nold\n{readme.END}\n\nafter\n")
    readme.main(page, tmp_path / "docs" / "figures")
    text = page.read_text()
    assert "old" not in text and text.startswith("# Title") and text.endswith("after\n")
    for alt, path in re.findall(r"!\[(.+?)\]\((.+?)\)", text):
        assert len(alt) > 40 and 0 < (tmp_path / path).stat().st_size < 300_000
    assert "Multi-class classification" in text and "published" in text


def test_a_readme_without_a_place_is_named(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# Title\n")
    with pytest.raises(ValueError, match="no place for the results"):
        readme.main(page, tmp_path / "figures")
    assert page.read_text() == "# Title\n"
