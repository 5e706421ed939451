// ipywidgets leaves a slider's handle without a name; a screen reader needs the label beside it. The script comes with
// a notebook's banner and looks again whenever something is added to the page.
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
