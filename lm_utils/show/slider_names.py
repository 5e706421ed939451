"""Names every slider of a page by the label beside it, for screen readers: ipywidgets leaves the handle without.

The script comes with a notebook's banner. It looks again whenever something is added to the page.
"""

from __future__ import annotations

SCRIPT = """<script>
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
