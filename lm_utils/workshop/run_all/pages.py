"""Executed notebooks as pages that need neither Jupyter nor a network: still widgets, formulas as MathML."""

import copy
import html
import re
from collections.abc import Collection
from typing import Any

import latex2mathml.converter
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from lm_utils.workshop.templates import filled

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CODE_OR_FORMULA = re.compile(
    r"(?P<code>```.*?```|~~~.*?~~~|``.+?``|`[^`\n]+`)"
    r"|\$\$(?P<block>.+?)\$\$"
    r"|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d)",
    re.DOTALL,
)
NOTEBOOK_LINK = re.compile(r"""(href=["'](?:\.\./)?\d\d_\w+)\.ipynb""")
SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)


def notebook_page(notebook: NotebookNode, name: str, problem: str = "") -> str:
    """Return an executed notebook as one page; `problem` says at its top what went wrong."""
    hidden = Config({"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": ["remove-input"]}})
    as_it_is = {"clean_html": lambda code: code}  # highlighted code, which is clean
    exporter = HTMLExporter(config=hidden, template_name="basic", exclude_anchor_links=True, filters=as_it_is)
    body, _ = exporter.from_notebook_node(still_copy(notebook))
    body = NOTEBOOK_LINK.sub(r"\1.html", body)
    style = HtmlFormatter().get_style_defs(".highlight")
    return filled("notebook.html", title=name, body=body, problem=problem, style=style)


def still_copy(notebook: NotebookNode, left_out: Collection[str] = ()) -> NotebookNode:
    """Return an executed notebook without anything that needs Python or a network; `left_out` are kinds of widgets."""
    still = copy.deepcopy(notebook)
    state = still.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    state = {model: widget for model, widget in state.items() if widget["model_name"] not in left_out}
    for cell in still.cells:
        if cell.cell_type == "markdown":
            cell.source = with_formulas(cell.source)
        if cell.metadata.get("jupyter", {}).get("source_hidden"):  # a question, whose source holds the answer
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "remove-input"]
        for output in cell.get("outputs", ()):
            if "data" in output:
                output.data = still_data(output.data, state)
    return still


def still_data(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return an output's data without anything that needs JavaScript."""
    kept = {kind: value for kind, value in data.items() if kind not in (WIDGET_VIEW, "application/javascript")}
    if WIDGET_VIEW in data and "text/html" not in kept:
        kept["text/html"] = snapshot(data[WIDGET_VIEW]["model_id"], state)
    if "text/html" in kept:
        kept["text/html"] = SCRIPT.sub("", "".join(kept["text/html"]))
    if text := kept.pop("text/latex", kept.get("text/markdown")):
        kept["text/markdown"] = with_formulas(text)
    return kept


def snapshot(model: str, state: dict[str, Any]) -> str:
    """Return a widget, as it stood when the notebook ended, as HTML."""
    if model not in state:
        return ""
    kind, now = state[model]["model_name"].removesuffix("Model"), state[model]["state"]
    if kind == "Output":
        return "".join(still_output(output, state) for output in now.get("outputs", ()))
    if "children" in now:
        inner = [snapshot(child.removeprefix("IPY_MODEL_"), state) for child in now["children"]]
        titles = [f"<b>{html.escape(title)}</b>" for title in now.get("titles", ())]
        inner = [f"{title}{part}" for title, part in zip(titles, inner, strict=False)] if titles else inner
        parts = "".join(f"<div>{part}</div>" for part in inner if part)
        return f'<div class="row">{parts}</div>' if kind == "HBox" else f"<div>{parts}</div>"
    if kind in ("HTML", "HTMLMath", "Any"):
        return str(now.get("value", ""))
    if kind == "Image":
        data = "".join(buffer["data"] for buffer in state[model].get("buffers", ()))
        alt = html.escape(str(now.get("alt") or now.get("_alt") or "figure"), quote=True)
        return f'<img alt="{alt}" src="data:image/{now.get("format", "png")};base64,{data}">'
    return f'<span class="control">{control(now)}</span>' if "description" in now or "value" in now else ""


def control(now: dict[str, Any]) -> str:
    """Return what a control says: its description and its value."""
    value, labels, index = now.get("value"), now.get("_options_labels"), now.get("index")
    if labels is not None:
        chosen = [index] if isinstance(index, int) else index or []
        value = " – ".join(labels[place] for place in chosen) or "/".join(labels)
    if isinstance(value, float):
        value = f"{value:g}"
    words = [str(word) for word in (now.get("description"), value) if word not in (None, "")]
    return html.escape(" ".join(words))


def still_output(output: dict[str, Any], state: dict[str, Any]) -> str:
    """Return one output that a widget holds as HTML."""
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(''.join(output['text']))}</pre>"
    data = still_data(output.get("data", {}), state)
    if "text/html" in data:
        return "".join(data["text/html"])
    if "image/png" in data:
        return f'<img alt="figure" src="data:image/png;base64,{data["image/png"]}">'
    return f"<pre>{html.escape(''.join(data.get('text/plain', output.get('evalue', ''))))}</pre>"


def with_formulas(text: str) -> str:
    """Return Markdown or HTML in which every formula is MathML, which browsers draw and read aloud."""
    return CODE_OR_FORMULA.sub(_formula, "".join(text))


def _formula(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    formula = " ".join((found["block"] or found["inline"]).split())
    aligned = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{split}", formula)  # the name that latex2mathml knows
    try:
        drawn = latex2mathml.converter.convert(aligned, display="block" if found["block"] else "inline")
    except Exception:  # its errors share no class
        drawn = "\\"
    if "\\" in drawn:  # an unknown command
        return f"<code>{html.escape(formula).replace('|', '&#124;')}</code>"
    drawn = re.sub(r"<mi>(\w\w+)</mi>", r'<mo lspace=".17em" rspace=".17em">\1</mo>', drawn)  # room around log
    drawn = re.sub(r"<mo([^>]*)>(?=&#x0(?:007C|2016);)", r'<mo\1 lspace="0" rspace="0">', drawn)  # none in |x|
    drawn = re.sub(r"[|*_`~\[\]]", lambda sign: f"&#{ord(sign[0])};", drawn)  # signs that mean something in Markdown
    return f"\n\n{drawn}\n\n" if found["block"] else drawn
