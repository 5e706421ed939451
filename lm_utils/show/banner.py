"""The line at the top of a notebook: which data, which device, and why; and names for its sliders."""

from html import escape

from IPython.display import HTML

from lm_utils.data import describe_data, friendly
from lm_utils.training import pick_device

# ipywidgets leaves a slider's handle without a name; a screen reader needs the label beside it. The script comes with
# a notebook's banner and looks again whenever something is added to the page.
NAME_SLIDERS = """<script>
(() => {
  const nameAll = () => {
    for (const box of document.querySelectorAll('.widget-slider')) {
      const label = box.querySelector('.widget-label')?.textContent.trim();
      for (const handle of label ? box.querySelectorAll('[role=slider]:not([aria-label])') : []) {
        handle.setAttribute('aria-label', label);
      }
    }
  };
  window.sliderNames ??= new MutationObserver(nameAll);
  window.sliderNames.observe(document.body, {childList: true, subtree: true});
  nameAll();
})();
</script>"""


def banner(data: str = "auto", device: str = "auto") -> HTML:
    """Say which data set and device this notebook will use."""
    rows = {"Data": friendly(describe_data(data)), "Device": str(pick_device(device))}
    lines = "".join(f"<div><b>{name}:</b> {escape(text)}</div>" for name, text in rows.items())
    return HTML(f'<div role="note" style="border-left:4px solid #0173b2;padding:.4em 1em">{lines}</div>{NAME_SLIDERS}')
