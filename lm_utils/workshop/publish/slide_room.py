"""How much room a part takes on a slide of 1280 by 720 pixels, and how one that takes too much is divided.

The sizes are those of site/slides/slides.css; a browser test walks through the decks and finds what does not fit.
"""

from __future__ import annotations

import base64
import html
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import replace

from lm_utils.workshop.publish.slide_parts import Part

ROOM = 578.0  # pixels below the title
WIDTH = 1184.0
LINE, LETTER, GAP = 36.0, 11.6, 16.0  # a line of text, a letter's mean width, the gap above a part
CODE_LINE, CODE_LETTER, CODE_WIDTH = 27.0, 11.5, 1155.0
ROW_LINE, ROW_SIZE, ROW_PADDING, CELL_PADDING = 28.0, 22.0, 13.0, 26.0
NARROW = set(" \u00a0\u202f.,:;!|il'()")
ITEM = re.compile(r"(?=<article)|(?=<p>)|\n(?=[-*] |\d+\. )")  # where a long list can be divided
DIVISION = re.compile(r"</?div[^>]*>")
PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/]{64})")


def height_of(part: Part) -> float:
    """The pixels that a part takes, gap included."""
    if part.kind == "figure":
        width, height = size_of(part.text)
        return height * min(1.0, WIDTH / width) + GAP
    if part.kind == "plain":
        return sum(code_height(text) for text in (part.code, part.text) if text)
    if rows := rows_of(part.text):
        return 1.05 * sum(row_heights(rows)) + ROW_LINE * part.text.count("<caption") + GAP
    if part.text.startswith("```") or "<pre" in part.text:
        return code_height(part.text)
    if "$$" in part.text:
        return 80.0 * part.text.count("$$") / 2 + 50.0 * part.text.count("\\\\") + GAP
    framed = 30 * part.text.count("<article") + 26 * part.text.count("<li>") * (part.kind == "question")
    framed += (40 + LINE) * (part.kind == "question")
    return sum(lines_of(line) * LINE + 4 for line in (*items_of(part.text), *items_of(part.answer))) + framed + GAP


def size_of(image: str) -> tuple[int, int]:
    """Width and height of an embedded PNG, read from its header."""
    header = base64.b64decode(PNG.search(image)[1])
    return struct.unpack(">II", header[16:24])


def code_height(text: str) -> float:
    """The height of lines of code or of printed text, long ones broken."""
    lines = re.sub(r"<[^>]+>", "", text).strip("\n").split("\n")
    return sum(map(code_lines, lines)) * CODE_LINE + 24 + GAP


def code_lines(line: str) -> int:
    """How many lines a line of code takes; a word that is too long for one begins a new one."""
    most = int(CODE_WIDTH / CODE_LETTER)
    return max(1, math.ceil(len(line) / most)) + (max(map(len, line.split(" "))) > most)


def plain_text(text: str) -> str:
    """A text as it is read: without tags, targets of links and marks."""
    text = re.sub(r"\]\([^)]*\)", "", re.sub(r"<[^>]+>", " ", text))
    return re.sub(r"[ \n\t]+", " ", html.unescape(re.sub(r"[*`\[]", "", text))).strip()


def lines_of(text: str) -> int:
    """How many lines of a slide a text takes."""
    return max(1, math.ceil(len(plain_text(text)) * LETTER / WIDTH))


def items_of(text: str) -> list[str]:
    """The items of a list, in Markdown or HTML, or the whole text; nothing of nothing."""
    if text.startswith("<"):
        return [item for item in re.split(r"(?=<(?:li|p|ul|div|article|br)\b)", text) if plain_text(item)]
    return [item for item in re.split(r"\n(?=[-*] |\d+\. )", text) if item]


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table, in Markdown or HTML, row by row; empty where the text is no table."""
    if text.startswith("|"):
        rows = [
            re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in text.split("\n") if not re.match(r"\|[ :-]*-", line)
        ]
    else:
        rows = [
            re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
            for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL)
        ]
    return [[plain_text(cell) for cell in row] for row in rows]


def row_heights(rows: Sequence[Sequence[str]]) -> list[float]:
    """The heights of a table's rows, its columns as wide as a browser would make them."""
    columns = range(max(len(row) for row in rows))
    cells = [[row[column] if column < len(row) else "" for row in rows] for column in columns]
    most = [max(map(width_of, column)) for column in cells]
    least = [max(width_of(word) for cell in column for word in cell.split(" ")) for column in cells]
    left = WIDTH - len(cells) * CELL_PADDING
    share = min(1.0, max(0.0, left - sum(least)) / max(1.0, sum(most) - sum(least)))
    wide = [low + share * (high - low) for low, high in zip(least, most, strict=True)]
    return [
        max(math.ceil(width_of(cells[column][row]) / max(1.0, wide[column]) - 0.01) or 1 for column in columns)
        * ROW_LINE
        + ROW_PADDING
        for row in range(len(rows))
    ]


def width_of(text: str) -> float:
    """The width of a table's text: narrow letters, capitals and figures are not alike."""
    shares = (0.22 if letter in NARROW else 0.61 if letter.isupper() else 0.495 for letter in text)
    return ROW_SIZE * sum(shares)


def pieces_of(part: Part) -> list[Part]:
    """A part in pieces that each fit on a slide: tables by rows, lists by items, printed text by lines."""
    if part.kind == "plain":
        return _printed(part)
    if height_of(part) <= ROOM or part.kind in ("figure", "question"):
        return [part]
    if rows := rows_of(part.text):
        heights = row_heights(rows)
        head, body, foot = _table(part.text)
        heads = len(rows) - len(body)
        groups = _groups(heights[heads:], ROOM / 1.05 - sum(heights[:heads]) - ROW_LINE - 2 * GAP)
        return [replace(part, text=head + "".join(body[place] for place in group) + foot) for group in groups]
    items = [item for item in ITEM.split(DIVISION.sub("", part.text)) if item]
    groups = _groups([height_of(Part("text", item)) for item in items], ROOM)
    return [replace(part, text="\n".join(items[place] for place in group)) for group in groups]


def _printed(part: Part) -> list[Part]:
    """Printed text below its code, if both fit, else without."""
    if height_of(part) <= ROOM:
        return [part]
    lines = part.text.split("\n")
    groups = _groups([code_height(line) - 24 - GAP for line in lines], ROOM - 24 - GAP)
    return [replace(part, code="", text="\n".join(lines[place] for place in group)) for group in groups]


def _table(text: str) -> tuple[str, list[str], str]:
    """The head of a table with all before it, its rows, and all behind them."""
    if text.startswith("|"):
        lines = text.split("\n")
        return "\n".join(lines[:2]) + "\n", [f"{line}\n" for line in lines[2:]], ""
    head, body, foot = re.match(r"(.*?<tbody>)(.*)(</tbody>.*)", text, re.DOTALL).groups()
    return head, re.findall(r"<tr.*?</tr>", body, re.DOTALL), foot


def _groups(heights: Sequence[float], room: float) -> list[list[int]]:
    """Places in a row, parted into as few groups as fit, the groups about equally tall."""
    count = max(1, math.ceil(sum(heights) / room))
    while True:
        groups, goal = [[]], sum(heights) / count
        for place, height in enumerate(heights):
            filled = sum(heights[each] for each in groups[-1])
            if groups[-1] and (filled + height > room or filled + height / 2 > goal):
                groups.append([])
            groups[-1].append(place)
        if len(groups) <= count + 1:
            return groups
        count += 1
