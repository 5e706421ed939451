// What the outputs of one finished run look like: a histogram, and a table of what was taken for what.
"use strict";

/** A table of words; the first cell of each row is its heading. */
function tableOf(caption, heads, rows, className = "") {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const lines = rows.map(([first, ...cells]) => make("tr", {}, make("th", { scope: "row" }, first),
    ...cells.map((cell) => make("td", {}, cell))));
  const table = make("table", { className }, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...lines));
  return make("div", { className: "wide", tabIndex: 0, role: "group", ariaLabel: caption }, table);
}

/** Bars of a stored histogram, yes above the line and no below it; heights are logarithms of counts. */
function histogram({ range: [low, high], yes, no }) {
  const width = 480, height = 200, middle = 96, left = 40;
  const most = Math.log10(1 + Math.max(...yes, ...no)), step = (width - left) / yes.length;
  const total = (counts) => counts.reduce((sum, one) => sum + one, 0);
  const upper = (counts) => `${total(counts.slice(counts.length / 2))} of ${total(counts)}`;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart" });
  picture.setAttribute("aria-label", `Histogram of the outputs from ${number(low)} to ${number(high)}. In its upper half lie `
    + `${upper(yes)} outputs that should be a yes and ${upper(no)} that should be a no.`);
  for (const [name, counts, up] of [["yes", yes, true], ["no", no, false]]) {
    picture.append(svg("text", { x: 4, y: up ? 50 : 150 }, name));
    counts.forEach((count, i) => {
      const tall = (Math.log10(1 + count) / most) * 84;
      picture.append(svg("rect", { x: left + i * step + 1, width: step - 2, y: up ? middle - tall : middle, height: tall,
        class: up ? "train" : "valid" }));
    });
  }
  for (const [x, value, anchor] of [[left, low, "start"], [width - 2, high, "end"]]) {
    picture.append(svg("text", { x, y: height - 4, "text-anchor": anchor }, number(value)));
  }
  const caption = "Outputs that should be a yes (above) and a no (below), on test images; heights are logarithms";
  return make("figure", {}, make("figcaption", {}, caption), picture);
}

/** All that was stored about the outputs of a run, as elements. */
function outputsOf(run, task) {
  const { histogram: bins, confusion, accuracy_by_output: right, mean_by_digit: means, ...rest } = run.outputs;
  const shown = [];
  if (bins) shown.push(histogram(bins));
  if (confusion) {
    const table = tableOf("Test images: true class (rows), answer (columns)", ["true", ...task.names],
      confusion.map((row, i) => [task.names[i], ...row.map(String)]), "confusion");
    table.querySelectorAll("tbody tr").forEach((line, i) => [...line.querySelectorAll("td")].forEach((cell, j) => {
      cell.style.setProperty("--share", confusion[i][j] / Math.max(1, confusion[i].reduce((sum, one) => sum + one, 0)));
    }));
    shown.push(table);
  }
  if (right) shown.push(tableOf("Test accuracy of each output", ["output", "accuracy"], right.map((one, i) => [task.names[i], String(one)])));
  if (means) shown.push(tableOf("Mean answer for each digit", ["digit", "target", "mean answer"],
    means.map((one, i) => [String(i), String([task.table[i]].flat()[0]), String(one)])));
  if (bins) shown.push(make("details", {}, make("summary", {}, "The histogram in figures"),
    tableOf(`Counts in ${bins.yes.length} equal bins from ${bins.range[0]} to ${bins.range[1]}`, ["bin", "should be a yes", "should be a no"],
      bins.yes.map((one, i) => [String(i + 1), String(one), String(bins.no[i])]))));
  const called = { nll: "negative log-likelihood", brier: "Brier score", ece: "calibration error",
    cut: "best cut on validation images", accuracy_at_cut: "test accuracy at that cut" };
  const told = Object.entries(called).filter(([name]) => name in rest).map(([name, words]) => `${words} ${rest[name]}`);
  if (told.length) shown.push(make("p", {}, `On test images: ${told.join(", ")}.`));
  return shown;
}
