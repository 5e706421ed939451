// A small line chart, drawn as SVG: for the explorer of recorded runs, the live trainer, and the notebooks, where
// lm_utils/show/chart.py makes a widget of this file.
"use strict";

const CHART = { width: 480, height: 260, left: 52, right: 12, top: 14, bottom: 40 };

/** An HTML element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** An SVG element with attributes. */
function svg(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** Round steps for an axis from low to high. */
function ticks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step) found.push(+tick.toPrecision(6));
  return found;
}

/**
 * Draw into a box. `series`: {name, kind, values, xs, label}, one value an epoch unless `xs` says where they stand;
 * `lines`: {name, value, kind, label} across the chart. What has a label stands in a legend above it. The axis goes from
 * `first` to `epochs`; `low` and `high` are its limits where they are fixed; `words` stand where there is no curve yet.
 */
function drawChart(box, { title, yLabel, series, lines = [], first = 1, epochs, low, high, words }) {
  const { width, height, left, right, top, bottom } = CHART;
  const shown = [...series.flatMap((one) => one.values), ...lines.map((one) => one.value)].filter(Number.isFinite);
  const least = low ?? Math.min(...shown, 0), most = high ?? Math.max(...shown, least + (shown.length ? 1e-6 : 1)) * 1.05;
  const x = (epoch) => left + ((epoch - first) / Math.max(1, epochs - first)) * (width - left - right);
  const y = (value) => height - bottom - ((value - least) / (most - least)) * (height - top - bottom);
  const last = series.map((one) => `${one.name} ${number(one.values.at(-1))}`).join(", ");
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart" });
  picture.setAttribute("aria-label", `${title}: after epoch ${series[0]?.values.length ?? 0}, ${last}.`);
  for (const tick of ticks(least, most)) {
    picture.append(svg("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }));
    picture.append(svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  for (const tick of ticks(first, epochs).filter(Number.isInteger)) {
    picture.append(svg("text", { x: x(tick), y: height - bottom + 16, "text-anchor": "middle" }, String(tick)));
  }
  picture.append(svg("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, "epoch"));
  picture.append(svg("text", { x: 12, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${height / 2})` },
    yLabel));
  for (const { name, value, kind = "", label } of lines) {
    if (!(value >= least && value <= most)) continue;
    picture.append(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: `landmark ${kind}` }));
    if (!label) picture.append(svg("text", { x: width - right, y: y(value) - 4, "text-anchor": "end" }, name));
  }
  for (const { kind, values, xs } of series) {
    const points = values.map((value, i) => [x(xs ? xs[i] : i + 1), y(Math.min(most, Math.max(least, value ?? NaN)))])
      .filter((point) => point.every(Number.isFinite));
    picture.append(svg("polyline", { points: points.map((point) => point.join(",")).join(" "), class: kind }));
    if (kind === "best") {
      picture.append(...points.map(([at, on]) => svg("text", { x: at, y: on + 7, "text-anchor": "middle", class: kind }, "★")));
    } else if (points.length) {
      picture.append(svg("circle", { cx: points.at(-1)[0], cy: points.at(-1)[1], r: 3, class: kind }));
    }
  }
  if (words) {
    picture.append(svg("text", { x: (left + width) / 2, y: 0.6 * height, "text-anchor": "middle", class: "words" }, words));
  }
  box.replaceChildren(make("figcaption", {}, title), ...legend([...series, ...lines]), picture);
}

/** One line with a sample and the label of everything that has one; none where nothing has. */
function legend(drawn) {
  const labelled = drawn.filter((one) => one.label);
  if (!labelled.length) return [];
  const key = make("div", { className: "chart-key" });
  for (const { kind, label, value } of labelled) {
    const sample = svg("svg", { width: 30, height: 16, class: "chart", "aria-hidden": true });
    sample.append(kind === "best" ? svg("text", { x: 15, y: 15, "text-anchor": "middle", class: kind }, "★")
      : value === undefined ? svg("polyline", { points: "1,8 29,8", class: kind })
        : svg("line", { x1: 1, x2: 29, y1: 8, y2: 8, class: `landmark ${kind}` }));
    key.append(make("span", {}, sample, label));
  }
  return [key];
}

/** A tick's label of at most seven characters. */
function short(tick) {
  return tick === 0 || (Math.abs(tick) >= 0.01 && Math.abs(tick) < 10000) ? String(tick)
    : tick.toExponential().replace("+", "");
}

/** Draw the charts of a widget side by side, now and whenever they change; a notebook's front end calls it. */
function renderChart({ model, el }) {
  const row = make("div", { className: "chart-row" });
  const draw = () => {
    const { alt, panels = [] } = model.get("chart");
    row.setAttribute("aria-label", alt);
    panels.forEach((panel, i) => drawChart(row.children[i] ?? row.appendChild(make("figure")), panel));
    for (const picture of row.querySelectorAll("svg[role]")) {  // the row as a whole has the alternative text
      picture.removeAttribute("role");
      picture.removeAttribute("aria-label");
    }
  };
  row.setAttribute("role", "img");
  el.append(row);
  draw();
  model.on("change:chart", draw);
  model.set("drawn", true);
  model.save_changes();
  return () => model.off("change:chart", draw);
}

/** A number with four significant digits. */
function number(value) {
  return Number.isFinite(value) ? String(+value.toPrecision(4)) : "no finite number";
}
