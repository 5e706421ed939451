// The explorer of recorded runs: choose task, loss and activation, predict, play the curves of every seed.
// A pairing's runs come as a script of their own, so that the page also works from a folder.
"use strict";

const OUTCOMES = ["Most seeds learn the task.", "Most seeds do no better than a constant answer.",
  "In most seeds the loss refuses its input or is no number any more."];
const LEVELS = [["task", "task"], ["loss", "loss"], ["activation", "output activation"], ["variant", "what is changed"]];
const START = { speed: 12, epoch: 0, seed: 0 };
const explorer = document.getElementById("explorer");
const runsFolder = new URL("runs/", document.currentScript.src);
const titlesOf = { task: Object.fromEntries(Object.entries(runsIndex.tasks).map(([name, task]) => [name, task.title])),
  loss: runsIndex.losses, activation: runsIndex.activations, variant: {} };
const settings = { ...START };
const panels = [];
const loaded = {}; // file: promise of the runs in it
let arrived, timer, groups = 0;

/** Called by the script of a pairing. */
function recordedRuns(runs) {
  arrived = runs;
}

/** The runs in a file, loaded once. */
function runsOf(file) {
  loaded[file] ??= new Promise((resolve, reject) => {
    const script = make("script", { src: new URL(file, runsFolder), onload: () => resolve(arrived) });
    script.onerror = () => (delete loaded[file], reject(new Error(file)));
    document.head.append(script);
  });
  return loaded[file];
}

/** The name itself, or the one that begins most like it; where none does, the one that the page begins with. */
function nearest(names, wanted = "", first = names[0]) {
  const alike = (name) => [...name].findIndex((letter, i) => letter !== wanted[i]) >>> 0;
  if (names.includes(wanted)) return wanted;
  return names.reduce((best, name) => (alike(name) > alike(best) ? name : best), names.includes(first) ? first : names[0]);
}

const stillOnly = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const last = (panel) => Math.max(1, ...(panel.runs?.runs ?? []).map((run) => run.valid_metric.length));
const lastEpoch = () => Math.max(...panels.map(last));

/** One pairing: menus and a question above the controls, curves and words below them. */
class Panel {
  constructor() {
    const form = make("form", { className: "filter", onsubmit: (event) => event.preventDefault() });
    this.menus = {};
    for (const [name, label] of LEVELS) {
      this.menus[name] = make("select", { name, onchange: () => this.choose(this.state).then(restart) });
      form.append(make("label", {}, label, this.menus[name]));
    }
    this.note = make("p", { className: "link-note" });
    this.question = make("fieldset", { className: "choices" });
    this.chooser = make("div", {}, form, this.note, this.question);
    this.title = make("h3");
    this.said = make("p");
    this.said.setAttribute("role", "status");
    this.charts = make("div", { className: "charts" });
    this.words = make("div");
    this.shown = make("section", {}, this.title, this.said, this.charts, this.words);
  }

  get state() {
    return LEVELS.map(([name]) => this.menus[name].value);
  }

  get task() {
    return runsIndex.tasks[this.menus.task.value];
  }

  get guess() {
    return this.question.querySelector(":checked")?.value;
  }

  /** Show the pairing of a state, or the nearest that was recorded; a link that names another one is told so. */
  async choose(wanted, linked = false) {
    let inner = runsIndex.files;
    const missing = [];
    LEVELS.forEach(([name], i) => {
      const names = Object.keys(inner), menu = this.menus[name], found = nearest(names, wanted[i], runsIndex.start[i]);
      menu.replaceChildren(...names.map((one) => new Option(titlesOf[name][one] ?? one, one)));
      menu.value = found;
      menu.parentElement.hidden = names.length < 2;
      if (wanted[i] !== undefined && wanted[i] !== found) missing.push(wanted[i]);
      inner = inner[found];
    });
    this.note.textContent = linked && missing.length
      ? `This link names “${missing.join("”, “")}”, of which there are no runs here; the nearest pairing is shown.` : "";
    const turn = (this.turn = {});
    try {
      const runs = await runsOf(inner);
      if (turn !== this.turn) return; // another choice was made meanwhile
      this.runs = runs;
      this.ask();
    } catch {
      this.note.textContent = "These runs could not be loaded; load the page again.";
    }
  }

  /** Say something once, however often the curves are drawn. */
  say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  /** The question before the curves. */
  ask() {
    const group = `outcome-${++groups}`;
    this.question.replaceChildren(make("legend", {}, `${this.task.question} What will happen?`), ...OUTCOMES.map((text) =>
      make("label", {}, make("input", { type: "radio", name: group, value: text, onchange: predicted }), text)));
    const [, loss, activation, variant] = this.state;
    const { losses, activations } = runsIndex;
    const changed = Object.keys(runsIndex.files[this.state[0]][loss][activation]).length > 1 ? `: ${variant}` : "";
    this.title.textContent = `${losses[loss]}, output activation ${activations[activation]}${changed}`;
    this.over = false;
  }

  /** Draw the curves up to an epoch; the end also says what it means. */
  draw(epoch) {
    if (!this.runs) return; // they are still on their way
    const { runs, constant, constant_loss: constantLoss, least_loss: leastLoss, best_metric: best } = this.runs;
    const mse = this.task.metric === "mse", factor = mse ? 1 : 100, epochs = Math.max(2, last(this));
    const curve = (name, kind, words, scale = 1) => runs.map((run) => ({ name: `${words}seed ${run.seed}`, kind,
      values: run[name].slice(0, epoch).map((one) => scale * one) }));
    const line = (name, value, scale = 1) => (Number.isFinite(value) ? [{ name, value: scale * value }] : []);
    const limits = (names, lines) => {
      const all = [...names.flatMap((name) => runs.flatMap((run) => run[name])), ...lines.map((one) => one.value)].filter(Number.isFinite);
      return { low: Math.min(0, ...all), high: 1.05 * Math.max(1e-6, ...all) };
    };
    const lossLines = [...line("constant answer", constantLoss), ...line("lowest within reach", leastLoss)];
    const charts = [{
      title: `Validation ${mse ? "mean squared error" : "accuracy (%)"}, ${runs.length} seed${runs.length > 1 ? "s" : ""}`,
      series: curve("valid_metric", "valid", "", factor), yLabel: mse ? "MSE" : "%", low: 0, high: mse ? 2 * constant : 104,
      lines: [...line("best constant answer", constant, factor), ...line("best within reach", best, factor)],
    }, {
      title: "Loss: training (solid), validation (dashed)", yLabel: "loss", lines: lossLines,
      series: [...curve("train_loss", "train", "training, "), ...curve("valid_loss", "valid", "validation, ")],
      ...limits(["train_loss", "valid_loss"], lossLines),
    }];
    const watched = runs[0].trace ? runs : this.runs.watched ?? [];
    if (watched.length) charts.push({
      title: `Hidden layer: share of its values at a flat end (%), seeds ${watched[0].seed} to ${watched.at(-1).seed}`,
      yLabel: "%", low: 0, high: 104, series: watched.map((run) => ({ name: `seed ${run.seed}`, kind: "train",
        values: run.trace.slice(1, Math.min(epoch, epochs) + 1).map((one) => 100 * one.stuck) })),
      lines: [{ name: "before training, on average", value: 100 * watched.reduce((sum, run) => sum + run.trace[0].stuck, 0) / watched.length }],
    });
    while (this.charts.children.length > charts.length) this.charts.lastChild.remove();
    charts.forEach((chart, i) => drawChart(this.charts.children[i] ?? this.charts.appendChild(make("figure")), { epochs, ...chart }));
    const over = epoch >= last(this);
    if (over && !this.over) this.tell();
    if (!over) {
      this.words.replaceChildren();
      this.say(epoch ? "The curves so far." : "Predict, or press Play.");
    }
    this.over = over;
  }

  /** What came out, whether it was foreseen, why, and the figures of every seed. */
  tell() {
    const { runs, lost, broken, verdict, explanation, expected, switches, origin } = this.runs;
    const happened = OUTCOMES[broken > runs.length / 2 ? 2 : lost > runs.length / 2 ? 1 : 0];
    const reply = this.guess ? (this.guess === happened ? "Right, you said so. " : `You said: ${this.guess} `) : "";
    this.say(`${reply}${happened} ${runs.length - lost} of ${runs.length} did better than a constant answer.`);
    const why = verdict ? [make("b", {}, "Said before training: "), explanation]
      : [expected ? `Written down before these seeds were run: it ${expected}.` : "No prediction was written down for this condition."];
    const seeds = runs.map((run) => [String(run.seed), run.status === "ok" ? String(run.test_metric) : run.error || run.status,
      String(run.best_epoch)]);
    this.words.replaceChildren(make("p", {}, ...why));
    this.outputs = make("div");
    const kept = runs.filter((run) => Object.keys(run.outputs).length);
    if (kept.length) {
      const menu = make("select", { name: "seed", onchange: () => (settings.seed = +menu.value, showOutputs(), keepAddress()) },
        ...kept.map((run) => new Option(run.seed, run.seed)));
      this.words.append(make("h4", {}, kept[0].before ? "The outputs before and after training" : "The outputs after training"),
        make("p", { className: "filter" }, make("label", {}, "seed", menu)), this.outputs);
      this.seedMenu = menu;
      this.showOutputs();
    }
    if (switches) this.words.append(this.switchesTable(switches));
    this.words.append(make("details", {}, make("summary", {}, "Every seed in figures"),
      tableOf(`Runs: ${origin ?? runsIndex.origins[this.state[0]]}`,
        ["seed", this.task.metric === "mse" ? "test mean squared error" : "test accuracy", "best epoch"], seeds, "seeds")));
  }

  showOutputs() {
    const kept = this.runs.runs.filter((run) => Object.keys(run.outputs).length);
    const run = kept.find((one) => one.seed === settings.seed) ?? kept[0];
    this.seedMenu.value = run.seed;
    const before = run.before ? [make("h5", {}, "Before"), ...outputsOf({ outputs: run.before }, this.task), make("h5", {}, "After")] : [];
    this.outputs.replaceChildren(...before, ...outputsOf(run, this.task));
  }

  /** What was switched off and on with this pairing; each condition can be put beside it. */
  switchesTable({ columns, rows }) {
    const button = (title) => make("button", { type: "button", onclick: () => besideIt([...this.state.slice(0, 3), title]).then(start) }, title);
    return make("details", {}, make("summary", {}, `What switches it off and on: ${rows.length} conditions`),
      tableOf("A condition's name puts its runs beside these", columns, rows.map(([title, ...cells]) => [button(title), ...cells])));
  }
}

const showOutputs = () => panels.forEach((panel) => panel.over && panel.outputs.isConnected && panel.showOutputs());

// --- what all panels share -------------------------------------------------------------------------------------------

const presets = make("p", { className: "filter presets" }, ...runsIndex.presets.map(({ title, told, state }) =>
  make("button", { type: "button", title: told, onclick: () => panels[0].choose(state).then(restart) }, title)));
const play = make("button", { type: "button", onclick: () => (timer ? toEnd() : start()) });
const speed = make("input", { type: "range", name: "speed", min: 1, max: 60,
  oninput: () => (settings.speed = +speed.value, timer && tick(), keepAddress()) });
const slider = make("input", { type: "range", name: "epoch", min: 0, oninput: () => (halt(), show(+slider.value), keepAddress()) });
const shownEpoch = make("span", { className: "epoch" });
const beside = make("button", { type: "button", onclick: () => (panels.length > 1 ? alone() : besideIt(panels[0].state)) });
const choosers = make("div", { className: "panels" }), shown = make("div", { className: "panels" });
const controls = make("form", { className: "filter", onsubmit: (event) => event.preventDefault() }, play,
  make("label", {}, "epochs a second", speed), make("label", {}, "epoch", slider), shownEpoch, beside);

const atEnd = () => settings.epoch >= lastEpoch();

function show(epoch) {
  settings.epoch = epoch;
  slider.max = lastEpoch();
  slider.value = epoch;
  shownEpoch.textContent = `${Math.min(epoch, lastEpoch())} of ${lastEpoch()}`;
  play.textContent = timer ? "Show the end" : atEnd() ? "Play again" : "Play";
  beside.textContent = panels.length > 1 ? "Show one alone" : "Put another beside it";
  for (const panel of panels) panel.draw(epoch);
}

function halt() {
  clearInterval(timer);
  timer = undefined;
}

function tick() {
  clearInterval(timer);
  timer = setInterval(() => (settings.epoch + 1 >= lastEpoch() ? toEnd() : show(settings.epoch + 1)), 1000 / settings.speed);
}

function start() {
  if (stillOnly()) return toEnd();
  if (atEnd()) settings.epoch = 0;
  tick();
  show(settings.epoch);
}

function toEnd() {
  halt();
  show(lastEpoch());
  keepAddress();
}

function restart() {
  halt();
  show(0);
  keepAddress();
}

/** Play as soon as every pairing has its prediction. */
function predicted() {
  if (panels.every((panel) => panel.guess)) {
    settings.epoch = 0;
    start();
  }
}

// --- the address -----------------------------------------------------------------------------------------------------

/** Keep the state of the page in its address. */
function keepAddress() {
  const states = panels.map((panel) => panel.state.map(encodeURIComponent).join("/"));
  const others = Object.keys(START).filter((name) => settings[name] !== START[name])
    .map((name) => `${name}=${name === "epoch" && atEnd() ? "end" : settings[name]}`);
  history.replaceState(null, "", `#${[...states, ...others].join("&")}`);
}

/** Bring back the state that the address names. */
async function fromAddress() {
  const parts = location.hash.slice(1).split("&").filter(Boolean);
  const states = parts.filter((part) => !part.includes("=")).slice(0, 2).map((part) => part.split("/").map(decoded));
  const named = Object.fromEntries(parts.filter((part) => part.includes("=")).map((part) => part.split("=")));
  halt();
  while (panels.length) removePanel();
  for (const state of states.length ? states : [runsIndex.start]) await addPanel(state, true);
  settings.speed = Math.min(60, Math.max(1, +named.speed || START.speed));
  settings.seed = +named.seed || START.seed;
  speed.value = settings.speed;
  show(named.epoch === "end" ? lastEpoch() : Math.min(lastEpoch(), Math.max(0, Math.round(+named.epoch) || 0)));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that stands for nothing
  }
}

function addPanel(state, linked) {
  const panel = new Panel();
  panels.push(panel);
  choosers.append(panel.chooser);
  shown.append(panel.shown);
  return panel.choose(state, linked);
}

function removePanel() {
  const panel = panels.pop();
  panel.chooser.remove();
  panel.shown.remove();
}

async function besideIt(state) {
  if (panels.length > 1) removePanel();
  await addPanel(state);
  restart();
}

function alone() {
  removePanel();
  show(Math.min(settings.epoch, lastEpoch()));
  keepAddress();
}

explorer.replaceChildren(presets, choosers, controls, shown);
addEventListener("hashchange", fromAddress);
fromAddress();
