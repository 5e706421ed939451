// Puts a lab of formulas.js in the place of its still picture: controls, panels of curves, and a table that is their
// legend; what unfolds its code stays below. Without JavaScript, or where a lab is no formula, the picture stays.
"use strict";

/** Round steps of an axis, at least three of them. */
function stepsOf(low, high) {
  const found = ticks(low, high);
  if (found.length > 2) return found;
  const step = ticks(0, (high - low) / 2)[1], first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => +((first + i) * step).toPrecision(6));
}

/** A tick in words. */
const worded = (tick) => String(tick).replace("-", "−");

/** Draw one panel: curves over `xs` (bars where asked), marks, and a dotted line `at` one place. */
function drawPanel(box, { title, xLabel, xs, at, low, high, log = false, bars = false, curves, marks = {} }, classOf) {
  const { width, height, left, right, top, bottom } = CHART;
  const bend = log ? Math.log10 : (y) => y;
  const [first, last] = bars ? [xs[0] - 0.5, xs.at(-1) + 0.5] : [xs[0], xs.at(-1)];
  const x = (value) => left + ((value - first) / (last - first)) * (width - left - right);
  const y = (value) => top + ((bend(high) - bend(clip(value, low, high))) / (bend(high) - bend(low))) * (height - top - bottom);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart" });
  picture.setAttribute("aria-label", `${title}, over ${xLabel}: ${Object.keys(curves).join(", ")}. The table has the numbers.`);
  for (const tick of stepsOf(bend(low), bend(high)).filter((one) => !log || Number.isInteger(one))) {
    const place = y(log ? 10 ** tick : tick);
    picture.append(svg("line", { x1: left, x2: width - right, y1: place, y2: place, class: "grid" }));
    picture.append(svg("text", { x: left - 6, y: place + 4, "text-anchor": "end" },
      worded(log ? +(10 ** tick).toPrecision(1) : tick)));
  }
  for (const tick of stepsOf(xs[0], xs.at(-1)).filter((one) => !bars || Number.isInteger(one))) {
    picture.append(svg("text", { x: x(tick), y: height - bottom + 16, "text-anchor": "middle" }, worded(tick)));
  }
  picture.append(svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, xLabel));
  if (low < 0) picture.append(svg("line", { x1: left, x2: width - right, y1: y(0), y2: y(0), class: "axis" }));
  if (at !== undefined) picture.append(svg("line", { x1: x(at), x2: x(at), y1: top, y2: height - bottom, class: "landmark" }));
  Object.entries(curves).forEach(([name, ys], place) => {
    if (bars) {
      const wide = (0.8 * (x(1) - x(0))) / Object.keys(curves).length;
      ys.forEach((value, i) => picture.append(svg("rect", { class: classOf(name), width: 0.9 * wide,
        x: x(xs[i]) + (place - Object.keys(curves).length / 2) * wide, y: Math.min(y(value), y(0)),
        height: Math.abs(y(value) - y(0)) })));
      return;
    }
    // a curve ends where it leaves the panel; a jump is no slope: no line there
    let piece = [];
    const draw = () => piece.length > 1 && picture.append(svg("polyline", { class: classOf(name), points: piece.join(" ") }));
    ys.forEach((value, i) => {
      const jump = i && !log && Math.abs(value - ys[i - 1]) > (high - low) / 5 && Math.abs(value) < high && at !== undefined;
      const outside = value > high || value < low;
      if (jump || (outside && i && (ys[i - 1] > high || ys[i - 1] < low))) {
        draw();
        piece = [];
      }
      piece.push(`${x(xs[i]).toFixed(1)},${y(value).toFixed(1)}`);
    });
    draw();
  });
  for (const [name, places] of Object.entries(marks)) {
    for (const [a, b] of places) picture.append(svg("circle", { cx: x(a), cy: y(b), r: 5, class: classOf(name) }));
  }
  box.replaceChildren(make("figcaption", { textContent: title }), picture);
}

/** The table of a lab; its first column shows how each curve is drawn. */
function drawTable(table, heads, rows, classOf) {
  table.tHead.replaceChildren(make("tr", {}, ...heads.map((head) => make("th", { scope: "col", textContent: head }))));
  table.tBodies[0].replaceChildren(...rows.map(([name, ...cells]) => {
    const key = svg("svg", { viewBox: "0 0 30 10", class: "chart key", "aria-hidden": "true" });
    key.append(svg("polyline", { points: "0,5 30,5", class: classOf(name) }));
    const head = make("th", { scope: "row" }, key, ` ${name}`);
    return make("tr", {}, head, ...cells.map((cell) => make("td", { textContent: cell })));
  }));
}

/** A labelled control; `changed` is called when it moves. Returns its label and how to read it. */
function makeControl(one, changed) {
  if (one.options) {
    const select = make("select");
    for (const name of Object.keys(one.options)) select.append(new Option(name, name));
    select.value = Object.keys(one.options).find((name) => one.options[name] === one.start);
    select.addEventListener("input", changed);
    return [make("label", {}, one.name, select), () => one.options[select.value]];
  }
  const range = make("input", { type: "range", min: one.from, max: one.to, step: one.step });
  range.value = one.start;
  const shown = make("span");
  const tell = () => {
    shown.textContent = String(one.show(+range.value)).replace("-", "−");
    range.setAttribute("aria-valuetext", shown.textContent);
  };
  tell();
  range.addEventListener("input", () => (tell(), changed()));
  return [make("label", {}, one.name, range, shown), () => +range.value];
}

/** Put a lab in the place of a still picture. */
function makeLab(box, lab) {
  const read = {}, form = make("form", { className: "filter" });
  const charts = make("div", { className: "charts" });
  const table = make("table", { className: "legend" }, make("thead"), make("tbody"));
  const classes = new Map(); // a curve keeps its looks when another is taken away
  const classOf = (name) => `curve-${classes.get(name) ?? "plain"}`;
  const update = () => {
    const { panels, heads, rows } = lab.draw(Object.fromEntries(Object.entries(read).map(([name, one]) => [name, one()])));
    for (const [name] of rows) if (!classes.has(name)) classes.set(name, classes.size);
    while (charts.children.length < panels.length) charts.append(make("figure"));
    panels.forEach((panel, i) => drawPanel(charts.children[i], panel, classOf));
    drawTable(table, heads, rows, classOf);
  };
  for (const [name, one] of Object.entries(lab.controls)) {
    const [label, value] = makeControl(one, () => update());
    read[name] = value;
    form.append(label);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
  box.replaceChildren(form, charts, table, ...box.querySelectorAll("details.code"));
}

for (const box of document.querySelectorAll("[data-lab]")) {
  if (Object.hasOwn(LABS, box.dataset.lab)) makeLab(box, LABS[box.dataset.lab]);
}
