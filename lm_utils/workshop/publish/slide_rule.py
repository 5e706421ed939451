"""The rule that makes slides of a notebook: what is shown, what is said, and what is left out.

- Each heading begins a slide with the first sentences below it. Exercises are headings, too.
- Each figure, table, question or printed result has a slide, with the first sentences of the text behind it.
- Lists, tables and formulas of the text are shown. Code is shown where its output is plain text.
- All other text goes to the speaker's notes, and so does every paragraph that is shown only in part.
- A cell with the metadata `slideshow={"slide_type": "skip"}` is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lm_utils.workshop.publish.slide_parts import Part
from lm_utils.workshop.publish.slide_room import GAP, LETTER, LINE, ROOM, WIDTH, height_of, lines_of, pieces_of

OPENING, READING = 460, 400  # letters of the text below a heading, and below an output
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')*]*(?=\s)")
MARKS = ("**", "`", "$")


@dataclass
class Slide:
    """One slide: its title and the headings above it, what it shows, and what stands in the speaker's notes."""

    title: str
    headings: tuple[str, ...] = ()
    begins: bool = False  # whether it is the first one below its heading
    shown: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def room(self) -> float:
        """The pixels that are left."""
        title = (lines_of(self.title * 2) - 1) * 48
        return ROOM - title - sum(height_of(part) for part in self.shown)

    @property
    def letters(self) -> str:
        """The size of its letters: "large" where it shows little, "small" where it shows too much, else empty."""
        brief = sum(len(part.text) for part in self.shown) <= OPENING
        if brief and all(is_prose(part) for part in self.shown):
            return "large"
        return "small" if self.room < 0 else ""

    @property
    def is_exercise(self) -> bool:
        """Whether it belongs to an exercise."""
        return self.title.startswith("Exercise")


def slides_of(parts: Iterable[Part]) -> list[Slide]:
    """Return the slides that the rule makes of these parts."""
    maker = _Maker()
    for part in parts:
        maker.take(part)
    return maker.finished()


class _Maker:
    """Takes one part after the other and keeps the slides."""

    def __init__(self) -> None:
        self.slides: list[Slide] = []
        self.headings: dict[int, str] = {}
        self.unsaid: list[str] = []  # text for the notes of the next slide
        self.speaks = 0  # how many letters the next text may show: as an opening, or as the reading of an output

    def take(self, part: Part) -> None:
        """Put a part where it belongs; what comes before the first heading is about the set-up."""
        if part.kind == "heading":
            self.begin(part)
        elif part.kind == "waiting":
            self.headings.pop(4, None)
        elif self.headings and part.kind == "text":
            self.say(part)
        elif self.headings:
            self.put(part)

    def finished(self) -> list[Slide]:
        """Return the slides that show something; notes of the others go to the one before."""
        self.hand_over()
        full: list[Slide] = []
        for slide in self.slides:
            close(slide)
            if slide.shown:
                full.append(slide)
            elif full:
                full[-1].notes += slide.notes
        return full

    def begin(self, part: Part) -> None:
        self.hand_over()
        self.headings = {level: title for level, title in self.headings.items() if level < part.level}
        self.headings[part.level] = part.text
        self.new(begins=True)
        self.speaks = OPENING

    def hand_over(self) -> None:
        """What is still unsaid belongs to the slide before."""
        if self.slides:
            self.slides[-1].notes += self.unsaid
            self.unsaid = []

    def new(self, begins: bool = False) -> Slide:
        headings = tuple(self.headings.values())
        self.slides.append(Slide(headings[-1], headings, begins, notes=self.unsaid))
        self.unsaid = []
        return self.slides[-1]

    def say(self, part: Part) -> None:
        slide, shown = self.slides[-1], ""
        if self.speaks:
            fits = int((slide.room - GAP - 4) // LINE * WIDTH / LETTER)
            shown = leading_sentences(part.text, min(self.speaks, fits))
        if shown:
            slide.shown.append(Part("text", shown))
        if shown != part.text:
            (slide.notes if self.speaks else self.unsaid).append(part.text)
        self.speaks = 0

    def put(self, part: Part) -> None:
        """Put a figure, a table, a list … on a slide, on the current one if it goes with what is there."""
        slide, pieces = self.slides[-1], pieces_of(part)
        lead = self.unsaid.pop() if part.kind == "apart" and self.unsaid and self.unsaid[-1].endswith(":") else ""
        before = [Part("text", lead)] if lead else []
        wanted = sum(map(height_of, [*before, pieces[0]]))
        if self.unsaid or (slide.shown and (len(pieces) > 1 or not self.joins(part, slide.room - wanted))):
            slide = self.new()
        slide.shown += [*before, pieces[0]]
        for piece in pieces[1:]:
            self.new().shown.append(piece)
        self.speaks = 0 if part.kind in ("question", "apart") else READING

    def joins(self, part: Part, left: float) -> bool:
        """Whether an output goes with what its slide shows already, given the pixels that would be left."""
        kinds = {shown.kind for shown in self.slides[-1].shown}
        if self.slides[-1].headings != tuple(self.headings.values()):
            return False  # an exercise has ended
        if part.kind in ("apart", "words", "plain"):
            return left >= 0 and "question" not in kinds
        reading = 0 if part.kind == "question" else 2 * LINE + GAP
        return left >= reading and kinds == {"text"}


def close(slide: Slide) -> None:
    """Let no slide end with words that lead to the next one; they go to its notes."""
    if slide.shown and slide.shown[-1].kind == "text" and slide.shown[-1].text.endswith(":"):
        text = slide.shown.pop().text
        shown = leading_sentences(text, len(text) - 1) or f"{text[:-1]}."
        slide.shown.append(Part("text", shown))
        slide.notes.append(text)


def is_prose(part: Part) -> bool:
    """Whether a part is nothing but sentences, as text or as a list."""
    return part.kind in ("text", "words", "apart") and re.match(r"<|\||```|\$\$", part.text) is None


def leading_sentences(text: str, limit: int) -> str:
    """The longest beginning of a text that ends with a sentence, leaves no mark open and keeps to the limit."""
    text = text.strip()
    if len(text) <= limit:
        return text
    ends = [found.end() for found in SENTENCE_END.finditer(text) if found.end() <= limit]
    whole = [end for end in ends if is_closed(text[:end])]
    return text[: whole[-1]] if whole else ""


def is_closed(text: str) -> bool:
    """Whether every mark and bracket that a text opens is closed."""
    return all(text.count(mark) % 2 == 0 for mark in MARKS) and text.count("(") == text.count(")")
