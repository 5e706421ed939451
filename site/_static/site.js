// What the pages of this site add to Sphinx's own: menus above tables, a search that works from a
// folder. Every page can be read without it.
"use strict";

const MENUS = ["task", "from", "document", "verdict", "how"]; // columns that get a menu

/** A table's body rows of which each cell is plain text. */
function linesOf(table) {
  return [...table.tBodies[0].rows].map((row) => ({
    row,
    cells: [...row.cells].map((cell) => cell.textContent.trim()),
  }));
}

/** A labelled control. */
function labelled(text, control) {
  const label = document.createElement("label");
  label.append(text, control);
  return label;
}

/** A menu of the different words in a column. */
function menuOf(lines, column) {
  const menu = document.createElement("select");
  menu.append(new Option("all", ""));
  for (const word of new Set(lines.map((line) => line.cells[column]))) menu.append(new Option(word, word));
  return menu;
}

/** Put menus and a text field above a table; they choose the rows that are shown. */
function makeFilter(table) {
  const lines = linesOf(table);
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const form = document.createElement("form");
  const menus = new Map();
  for (const name of MENUS.filter((one) => heads.includes(one))) {
    menus.set(heads.indexOf(name), menuOf(lines, heads.indexOf(name)));
    form.append(labelled(name, menus.get(heads.indexOf(name))));
  }
  const words = document.createElement("input");
  words.type = "search";
  form.append(labelled("any text", words));
  const count = document.createElement("p");
  count.setAttribute("role", "status");
  const update = () => {
    const sought = words.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { row, cells } of lines) {
      const text = cells.join(" ").toLowerCase();
      const chosen = [...menus].every(([column, menu]) => !menu.value || cells[column] === menu.value);
      row.hidden = !(chosen && sought.every((word) => text.includes(word)));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${lines.length} rows`;
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  const box = table.closest(".filtered");
  form.className = "filter";
  box.prepend(form, count);
  update();
}

/** Let a formula that is wider than the page be scrolled by keyboard too. */
function reachWideFormulas() {
  for (const box of document.querySelectorAll('math[display="block"]')) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}

/** Let the search button be called what stands on it. */
function nameSearch() {
  for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");
}

/** Let the logo lie in a landmark, as all else does. */
function placeLogo() {
  document.querySelector(".sidebar-primary-item:has(> .logo)")?.setAttribute("role", "banner");
}

/** Let the search read a page that it found when the reader comes to it: a frequent word stands on every page. */
function readWhenSeen() {
  const { fetch } = window, reading = new Map();
  const eye = new IntersectionObserver((changes) => changes.filter((one) => one.isIntersecting).forEach(({ target }) => {
    eye.unobserve(target);
    reading.get(target)();
  }));
  window.fetch = (address) => new Promise((resolve) => queueMicrotask(() => { // then its item is the list's last one
    const item = document.querySelector("#search-results li:last-child");
    reading.set(item, () => resolve(fetch(address)));
    eye.observe(item);
  }));
}

if (document.getElementById("search-results")) readWhenSeen();
reachWideFormulas();
nameSearch();
placeLogo();
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // a browser reads no other page of a folder
}
for (const table of document.querySelectorAll(".filtered table")) makeFilter(table);
