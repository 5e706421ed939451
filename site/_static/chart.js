// A small line chart, drawn as SVG; the explorer of recorded runs and the live trainer share it.
"use strict";

const CHART = { width: 480, height: 260, left: 52, right: 12, top: 14, bottom: 40 };

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
 * Draw into a box. `series`: {name, kind, values} with one value an epoch; `lines`: {name, value} across the chart.
 * `epochs` is the length of the axis, `low` and `high` its limits where they are fixed.
 */
function drawChart(box, { title, yLabel, series, lines = [], epochs, low, high }) {
  const { width, height, left, right, top, bottom } = CHART;
  const shown = [...series.flatMap((one) => one.values), ...lines.map((one) => one.value)].filter(Number.isFinite);
  const least = low ?? Math.min(...shown, 0), most = high ?? Math.max(...shown, least + 1e-6) * 1.05;
  const x = (epoch) => left + ((epoch - 1) / Math.max(1, epochs - 1)) * (width - left - right);
  const y = (value) => height - bottom - ((value - least) / (most - least)) * (height - top - bottom);
  const last = series.map((one) => `${one.name} ${number(one.values.at(-1))}`).join(", ");
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart" });
  picture.setAttribute("aria-label", `${title}: after epoch ${series[0]?.values.length ?? 0}, ${last}.`);
  for (const tick of ticks(least, most)) {
    picture.append(svg("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }));
    picture.append(svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, String(tick)));
  }
  for (const tick of ticks(1, epochs).filter(Number.isInteger)) {
    picture.append(svg("text", { x: x(tick), y: height - bottom + 16, "text-anchor": "middle" }, String(tick)));
  }
  picture.append(svg("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, "epoch"));
  picture.append(svg("text", { x: 12, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${height / 2})` },
    yLabel));
  for (const { name, value } of lines) {
    if (!(value >= least && value <= most)) continue;
    picture.append(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "landmark" }));
    picture.append(svg("text", { x: width - right, y: y(value) - 4, "text-anchor": "end" }, name));
  }
  for (const { kind, values } of series) {
    const points = values.map((value, i) => [x(i + 1), y(Math.min(most, Math.max(least, value)))])
      .filter((point) => point.every(Number.isFinite));
    picture.append(svg("polyline", { points: points.map((point) => point.join(",")).join(" "), class: kind }));
    if (points.length) picture.append(svg("circle", { cx: points.at(-1)[0], cy: points.at(-1)[1], r: 3, class: kind }));
  }
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  box.replaceChildren(caption, picture);
}

/** A number with four significant digits. */
function number(value) {
  return Number.isFinite(value) ? String(+value.toPrecision(4)) : "no finite number";
}
