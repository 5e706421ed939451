"""Finds what is broken in built pages: links and anchors that lead nowhere, and what would be loaded from a network."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from lm_utils.workshop.run_all.pages import WIDGET_STATE

LOADED = "img[src], script[src], source[src], iframe[src], video[src], audio[src], " + ", ".join(
    f"link[rel~={kind}]" for kind in ("stylesheet", "icon", "preload", "modulepreload", "manifest")
)
CSS_ADDRESS = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s;]+)")


class Page:
    """What a page links to, what it loads by itself, and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        page = soup(text)
        loading = [tag for part in (page, *widget_texts(page)) for tag in part.select(LOADED)]
        linking = [
            tag for part in (page, *widget_texts(page)) for tag in part.select("a[href], area[href], link[href]")
        ]
        self.loads = [tag.get("src") or tag["href"] for tag in loading]
        self.links = [tag["href"] for tag in linking if tag not in loading]
        self.anchors = {tag.get("id") or tag["name"] for tag in page.select("[id], a[name]")}


def soup(text: str) -> BeautifulSoup:
    """Return a text of HTML as a tree."""
    return BeautifulSoup(text, "html.parser")


def widget_texts(page: BeautifulSoup) -> Iterator[BeautifulSoup]:
    """Yield the texts of widgets, which the page draws later."""
    for script in page.find_all("script", type=WIDGET_STATE):
        for widget in json.loads(script.string)["state"].values():
            yield from (soup(text) for text in widget["state"].values() if isinstance(text, str) and "<" in text)


def broken(site: Path) -> list[str]:
    """Return one line for everything in the built pages that leads nowhere or would leave the site by itself."""
    site = site.resolve()
    pages = {page: Page(page.read_text(encoding="utf-8")) for page in sorted(site.rglob("*.html"))}
    files = {file for file in site.rglob("*") if file.is_file()}
    lines = [
        f"{page.relative_to(site)} {fault}"
        for page in pages
        for fault in dict.fromkeys([*bad_loads(page, pages, files), *bad_links(page, pages, files)])
    ]
    return lines + [
        f"{sheet.relative_to(site)} loads {address} from elsewhere"
        for sheet in sorted(site.rglob("*.css"))
        for address in CSS_ADDRESS.findall(sheet.read_text(encoding="utf-8"))
    ]


def bad_loads(page: Path, pages: dict[Path, Page], files: set[Path]) -> Iterator[str]:
    """Yield what a page would load and cannot, or may not."""
    for address in pages[page].loads:
        parts = urlsplit(address)
        if parts.netloc or parts.scheme not in ("", "data"):
            yield f"loads {address} from elsewhere"
        elif not parts.scheme and (page.parent / unquote(parts.path)).resolve() not in files:
            yield f"loads {address}, which does not exist"


def bad_links(page: Path, pages: dict[Path, Page], files: set[Path]) -> Iterator[str]:
    """Yield the links of a page that lead nowhere; those to other sites are not followed, and a folder is no page."""
    for address in pages[page].links:
        parts = urlsplit(address)
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if parts.scheme or parts.netloc:
            continue
        if target not in files:
            yield f"links to {address}, which does not exist"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"links to {address}, which has no such anchor"
