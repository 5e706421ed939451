"""Finds what is broken in built pages: links and anchors that lead nowhere, and whatever would ask a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

WIDGETS = "application/vnd.jupyter.widget-state+json"
STYLES = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}  # what a <link> brings along by itself
LOADED = {"img": "src", "script": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src"}
CSS_ADDRESS = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s;]+)")


@dataclass
class Found:
    """What a page refers to, what it loads by itself, and the places in it that a link can name."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """Reads one page; what stands in the texts of widgets counts too."""

    def __init__(self) -> None:
        super().__init__()
        self.found = Found()
        self.state: list[str] | None = None  # the parts of a widgets' state that is being read

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note down what a tag names."""
        told = {name: value or "" for name, value in attributes}
        self.state = [] if tag == "script" and told.get("type") == WIDGETS else None
        self.found.anchors |= {told[name] for name in ("id", "name") if name in told and (name == "id" or tag == "a")}
        if tag in ("a", "area", "link") and "href" in told:
            loaded = tag == "link" and STYLES & set(told.get("rel", "").split())
            (self.found.loads if loaded else self.found.links).append(told["href"])
        elif tag in LOADED and LOADED[tag] in told:
            self.found.loads.append(told[LOADED[tag]])

    def handle_data(self, data: str) -> None:
        """Collect the state of widgets, which may come in parts."""
        if self.state is not None:
            self.state.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Read the texts of widgets, which the page draws later."""
        if tag != "script" or not self.state:
            return
        widgets = json.loads("".join(self.state))["state"].values()
        values = (value for widget in widgets for value in widget["state"].values())
        for inner in (read(value) for value in values if isinstance(value, str) and "<" in value):
            self.found.links += inner.links
            self.found.loads += inner.loads
        self.state = None


def read(text: str) -> Found:
    """What a page's text refers to."""
    reader = Reader()
    reader.feed(text)
    return reader.found


def broken(site: Path) -> list[str]:
    """One line for everything in the built pages that leads nowhere or would leave the site by itself."""
    site = site.resolve()
    pages = {page: read(page.read_text(encoding="utf-8")) for page in sorted(site.rglob("*.html"))}
    files = {file for file in site.rglob("*") if file.is_file()}
    lines = [
        f"{page.relative_to(site)} {fault}"
        for page, found in pages.items()
        for fault in dict.fromkeys([*bad_loads(page, found, files), *bad_links(page, pages, files)])
    ]
    return lines + [line for sheet in sorted(site.rglob("*.css")) for line in foreign_styles(sheet, site)]


def bad_loads(page: Path, found: Found, files: set[Path]) -> Iterator[str]:
    """What a page would load and cannot, or may not."""
    for address in found.loads:
        parts = urlsplit(address)
        if parts.netloc or parts.scheme not in ("", "data"):
            yield f"loads {address} from elsewhere"
        elif not parts.scheme and place(page, parts.path) not in files:
            yield f"loads {address}, which does not exist"


def bad_links(page: Path, pages: dict[Path, Found], files: set[Path]) -> Iterator[str]:
    """The links of a page that lead nowhere; those into the wide world are not followed."""
    for address in pages[page].links:
        parts = urlsplit(address)
        target = place(page, parts.path) if parts.path else page
        if parts.scheme or parts.netloc:
            continue
        if target not in files:
            yield f"links to {address}, which does not exist"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"links to {address}, which has no such anchor"


def place(page: Path, path: str) -> Path:
    """The file that a relative address on a page names; a folder is none, since nothing turns it into its index."""
    return (page.parent / unquote(path)).resolve()


def foreign_styles(sheet: Path, site: Path) -> Iterator[str]:
    """What a style sheet would load from elsewhere."""
    for address in CSS_ADDRESS.findall(sheet.read_text(encoding="utf-8")):
        yield f"{sheet.relative_to(site)} loads {address} from elsewhere"
