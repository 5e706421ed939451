"""A lab: controls above a figure, or a text, that follows them.

`lab(walk_figure, rate=slider("step size", 0.4, 0.1, 2.2, 0.1), halve=menu("steps are", {"equal": 0, "halved": 5}))`
calls `walk_figure(rate=..., halve=...)` at once and after every change, and shows what it returns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape

import ipywidgets as widgets
from matplotlib.figure import Figure

from lm_utils.show.keys import Keys
from lm_utils.show.style import Picture
from lm_utils.show_code import drawn_by, folded, maker

STYLE = {"description_width": "10em"}
WIDTH = {"width": "30em", "max_width": "100%"}
TEXT = "<div style='font-size:1rem;line-height:1.45;max-width:52em'>{}</div>"

Part = Figure | str


def lab(
    draw: Callable[..., Part | tuple[Part, ...]], beside: bool = False, **controls: widgets.ValueWidget
) -> widgets.VBox:
    """Show controls and what `draw` returns for their values: a figure, a text (HTML), or several of them, in order.

    With `beside`, the controls are a column and the first part stands beside them. An error of the first drawing is
    raised, so that the cell fails; a later one is shown in place of the picture. The box keeps `controls` by name
    and the `places` of the parts; its last line unfolds the code.
    """

    def drawn() -> tuple[Part, ...]:
        values = {name: control.value for name, control in controls.items()}
        for name, value in values.items():  # no noise of adding up steps (1.9999999999999998), and no minus before 0
            values[name] = round(value, 10) + 0.0 if isinstance(value, float) else value
        found = draw(**values)
        return found if isinstance(found, tuple) else (found,)

    def show(found: tuple[Part, ...]) -> None:
        for place, part in zip(places, found, strict=True):
            if isinstance(part, Figure):
                place.draw(part)
            else:
                place.value = TEXT.format(part)

    def redraw(_change: object) -> None:
        try:
            show(drawn())
        except Exception as problem:  # shown, not lost: nobody reads the log of a widget
            for place in places:
                place.value = ""
            places[-1].value = f"<p role='alert'>This could not be drawn: {escape(str(problem))}</p>"

    first = drawn()
    places = [Picture() if isinstance(part, Figure) else widgets.HTML() for part in first]
    show(first)
    for control in controls.values():
        if control.has_trait("continuous_update"):
            control.continuous_update = False  # a figure is slower than a hand
        control.observe(redraw, names="value")
    if beside:
        head = [widgets.HBox([widgets.VBox(list(controls.values())), places[0]], layout={"flex_flow": "row wrap"})]
    else:
        head = [widgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"}), places[0]]
    box = widgets.VBox([*head, *places[1:], Keys(), widgets.HTML(folded(*drawn_by(draw) or [maker()]))])
    box.controls, box.places = controls, places
    return box


def slider(
    name: str,
    value: float,
    low: float,
    high: float,
    step: float = 1,
    kind: type[widgets.ValueWidget] | None = None,
    **look: object,
) -> widgets.ValueWidget:
    """Make a slider with as many decimals as its step has; of whole numbers where value and step are whole."""
    whole = isinstance(value, int) and isinstance(step, int)
    kind = kind or (widgets.IntSlider if whole else widgets.FloatSlider)
    decimals = "d" if whole else f".{max(0, -Decimal(str(step)).as_tuple().exponent)}f"
    look = {"readout_format": decimals, "style": STYLE, "layout": WIDTH} | look
    return kind(value=value, min=low, max=high, step=step, description=name, **look)


def menu(
    name: str,
    options: Mapping | list | tuple | range,
    value: object = None,
    kind: type[widgets.ValueWidget] = widgets.Dropdown,
    **look: object,
) -> widgets.ValueWidget:
    """Make a menu (or another widget with options); a mapping's keys are shown, its values passed on."""
    choices = list(options.items() if isinstance(options, Mapping) else options)
    if value is not None:
        look["value"] = value
    return kind(options=choices, description=name, **{"style": {"description_width": "initial"}} | look)


def small_table(caption: str, heads: Sequence[str], rows: Mapping[str, Iterable[float]], decimals: int) -> str:
    """Return numbers by name as a small HTML table, for a lab."""
    right, lines = "text-align:right;padding:0 .8em", ""
    for name, numbers in rows.items():
        cells = "".join(f"<td style='{right}'>{round(float(n), decimals) + 0.0:.{decimals}f}</td>" for n in numbers)
        lines += f"<tr><th scope='row' style='text-align:left;padding:0 .8em'>{name}</th>{cells}</tr>"
    top = "".join(f"<th scope='col' style='{right}'>{head}</th>" for head in heads)
    return f"<table style='font-size:1rem;line-height:1.35'><caption>{caption}</caption><tr>{top}</tr>{lines}</table>"


class Fold(widgets.VBox):
    """A box behind a button that opens and closes it; the button takes the keyboard as any other."""

    def __init__(self, title: str, content: Sequence[widgets.Widget]) -> None:
        self.title = title
        self.button = widgets.ToggleButton(layout={"width": "auto"})
        self.button.add_class("lm-fold")
        self.content = widgets.VBox(list(content), layout={"display": "none", "padding": "6px 2px"})
        self.button.observe(lambda change: self.turn(), names="value")
        self.turn()
        super().__init__([self.button, self.content])

    def turn(self) -> None:
        """Show or hide the content as the button says."""
        self.content.layout.display = "" if self.button.value else "none"
        self.button.description = f"{'▾' if self.button.value else '▸'} {self.title}"
