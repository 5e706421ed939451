// The page "Train it here": controls, two curves, and a worker that trains. Stop ends the worker at once.
import { runsHere } from "./kernels.js";
import { baseline, targetsOf, readDigits } from "./training.js";

const here = new URL(".", import.meta.url);
const box = document.getElementById("live");
const START = { task: "multiclass", loss: "bce", activation: "sigmoid", hidden: "sigmoid", lr: "0.01", seed: "0" };
const told = await (await fetch(new URL("tasks.json", here))).json();
const digits = readDigits(new Uint8Array(await (await fetch(new URL(told.digits.file, here))).arrayBuffer()), told.digits);
const EPOCHS = 40;
let worker = null, records = [];

const titles = (table) => Object.entries(table).map(([name, one]) => [one.title ?? one, name]);
const control = (name, label, element) => {
  form.append(make("label", {}, label, Object.assign(element, { name })));
  return element;
};
const menu = (name, label, options) =>
  control(name, label, make("select", {}, ...options.map(([title, value]) => new Option(title, value))));

const form = make("form", { className: "filter" });
menu("task", "task", titles(told.tasks));
menu("loss", "loss", titles(told.losses));
menu("activation", "output activation", titles(told.activations));
menu("hidden", "hidden layer", [["sigmoid", "sigmoid"], ["ReLU", "relu"]]);
const rate = control("lr", "learning rate", make("input", { type: "range", min: 0.001, max: 0.01, step: 0.001 }));
const shownRate = make("span");
rate.after(shownRate);
menu("seed", "seed", [..."0123456789"].map((seed) => [seed, seed]));
const extra = control("extra", "", make("input", { type: "checkbox" }));
const extraName = make("span");
extra.after(extraName);
const button = make("button", { type: "submit" }, "Train");
form.append(button);
const status = make("p", { role: "status" });
const charts = make("div", { className: "charts" }, make("figure"), make("figure"));

/** The state of the page as its address has it; what it names and nobody knows is replaced by the start. */
function fromAddress() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const unknown = [];
  for (const [name, start] of Object.entries(START)) {
    form[name].value = asked[name] ?? start;
    const taken = name === "lr" ? +form.lr.value === +(asked.lr ?? start) : form[name].value === (asked[name] ?? start);
    if (!taken) {
      unknown.push(asked[name]);
      if (name !== "lr") form[name].value = start;
    }
  }
  extra.checked = asked.extra === "1";
  adapt();
  if (unknown.length) status.textContent = `This link names ${unknown.join(", ")}, which is unknown; nearest shown.`;
}

/** Let the controls fit the task. */
function adapt() {
  const numbers = form.task.value === "regression";
  const inverse = form.activation.querySelector("[value=sigmoid_inverse]");
  inverse.hidden = inverse.disabled = !numbers;
  if (!numbers && form.activation.value === "sigmoid_inverse") form.activation.value = "sigmoid";
  extraName.textContent = numbers ? "targets standardised" : "output bias at the prior";
  shownRate.textContent = rate.value;
  status.textContent = `${told.tasks[form.task.value].question} Ready: press Train.`;
}

function draw() {
  const task = told.tasks[form.task.value], percent = task.kind === "value" ? 1 : 100;
  const guess = baseline(task, targetsOf(task, digits.train), targetsOf(task, digits.valid));
  const [loss, metric] = charts.children;
  drawChart(loss, {
    title: "Loss: training (solid), validation (dashed)", yLabel: "loss", epochs: EPOCHS,
    series: [{ name: "training", kind: "train", values: records.map((one) => one.trainLoss) },
      { name: "validation", kind: "valid", values: records.map((one) => one.validLoss) }],
  });
  drawChart(metric, {
    title: task.kind === "value" ? "Mean squared error on validation images" : "Right answers on validation images",
    yLabel: task.kind === "value" ? "MSE" : "%", epochs: EPOCHS, low: 0, high: percent === 100 ? 104 : undefined,
    lines: [{ name: "best constant answer", value: guess * percent }],
    series: [{ name: "validation", kind: "valid", values: records.map((one) => one.metric * percent) }],
  });
}

function ended(words) {
  worker?.terminate();
  worker = null;
  button.textContent = "Train";
  status.textContent = words;
}

/** What the last record says. */
function reached() {
  const last = records.at(-1);
  if (!last) return "";
  return form.task.value === "regression" ? `mean squared error ${last.metric.toFixed(3)}`
    : `${(100 * last.metric).toFixed(1)} % right`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (worker) return ended(`Stopped after ${records.length} epochs: ${reached()}.`);
  const { task, loss, activation, hidden, lr, seed } = Object.fromEntries(new FormData(form));
  const numbers = task === "regression";
  const settings = { loss, activation, hidden, lr: +lr, seed: +seed, epochs: EPOCHS,
    normalize: numbers && extra.checked, priorBias: !numbers && extra.checked };
  records = [];
  draw();
  button.textContent = "Stop";
  status.textContent = "Training …";
  worker = new Worker(new URL("worker.js", here), { type: "module" });
  worker.onerror = () => ended("This browser cannot train here; the recorded runs work everywhere.");
  worker.onmessage = ({ data }) => {
    if (data.refused) return ended(`The loss refused what it was given. ${data.refused}`);
    if (data.done) return ended(`Done, ${records.length} epochs: ${reached()}.`);
    records.push(data.record);
    status.textContent = `Epoch ${data.record.epoch} of ${EPOCHS}: ${reached()}.`;
    draw();
  };
  worker.postMessage({ settings, task: told.tasks[task], digits: told.digits });
});
form.addEventListener("input", () => {
  if (worker) ended("");
  adapt();
  records = [];
  draw();
  const state = { ...Object.fromEntries(new FormData(form)), extra: extra.checked ? "1" : "0" };
  history.replaceState(null, "", `#${new URLSearchParams(state)}`);
});
const show = () => (fromAddress(), draw());

if (typeof Worker === "function" && runsHere()) {
  box.replaceChildren(form, status, charts);
  addEventListener("hashchange", show);
  show();
} else {
  box.replaceChildren(make("p", {}, "This browser cannot train here: it lacks workers or WebAssembly. The ",
    make("a", { href: "index.html" }, "recorded runs"), " need neither."));
}
