// The labs of notebooks 01, 02, 05 and 06 that are closed formulas, under the names of their Python functions.
// Each has controls and a `draw`: their values to panels of curves, and to a table that doubles as legend.
"use strict";

const sigmoid = (z) => 0.5 * (1 + Math.tanh(z / 2));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const clip = (x, low, high) => Math.min(high, Math.max(low, x));
const spaced = (from, to, count) => Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
const fixed = (x, digits) => (Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x).toFixed(digits).replace("-", "−");
const slider = (name, start, from, to, step, show = (x) => x) => ({ name, start, from, to, step, show });
const menu = (name, options, start = Object.values(options)[0]) => ({ name, options, start });

/** Panels of functions of one number, with a mark at one place, and the table of their values there. */
function marked(xs, at, xLabel, titles, tops, floors, functions, digits) {
  const panels = titles.map((title, which) => ({
    title, xLabel, at, xs, low: floors[which], high: tops[which],
    curves: Object.fromEntries(Object.entries(functions).map(([name, pair]) => [name, xs.map(pair[which])])),
    marks: Object.fromEntries(Object.entries(functions).map(([name, pair]) => [name, [[at, pair[which](at)]]])),
  }));
  const rows = Object.entries(functions).map(([name, pair]) => [name, ...pair.map((f) => fixed(f(at), digits))]);
  return { panels, heads: ["loss", ...titles], rows };
}

/** The slope of one neuron's loss by its logit, for the target 0. */
const neuronSlope = (loss, z) => sigmoid(z) * (loss === "MSE" ? 2 * sigmoid(z) * sigmoid(-z) : 1);

/** Logit, output and size of the slope over 300 steps of gradient descent on weight and bias. */
function neuron(loss, weight, bias, rate) {
  const logits = [];
  for (let step = 0, w = weight, b = bias; step <= 300; step++) {
    logits.push(w + b);
    const push = rate * neuronSlope(loss, w + b);
    [w, b] = [w - push, b - push];
  }
  return { logits, outputs: logits.map(sigmoid), slopes: logits.map((z) => Math.abs(neuronSlope(loss, z))) };
}

/** Loss, and size of the slope by p and by the logit, of saying p where the label is 1. */
const PENALTY = {
  BCE: [(p) => -Math.log(p), (p) => 1 / p, (p) => 1 - p],
  MSE: [(p) => (1 - p) ** 2, (p) => 2 * (1 - p), (p) => 2 * (1 - p) * p * (1 - p)],
  MAE: [(p) => 1 - p, () => 1, (p) => p * (1 - p)],
};

/** The errors of gradient descent on one number. */
function walk(slope, rate, halve) {
  const errors = [2.13];
  for (let step = 0; step < 40; step++) {
    const size = halve ? rate / 2 ** Math.floor(step / halve) : rate;
    errors.push(clip(errors.at(-1) - size * slope(errors.at(-1)), -1e6, 1e6));
  }
  return errors;
}
const WALKS = { MSE: (e) => 2 * e, MAE: Math.sign, Huber: (e) => clip(e, -1, 1) };

/** Minus the gradient of a loss by each logit. */
function pull(loss, activation, logits, label) {
  const top = Math.max(...logits), sum = logits.reduce((total, z) => total + Math.exp(z - top), 0);
  const p = logits.map((z) => (activation === "softmax" ? Math.exp(z - top) / sum : sigmoid(z)));
  const byP = p.map((q, i) => {
    const y = +(i === label);
    if (loss === "CE") return y ? -1 / q : 0;
    return loss === "BCE" ? (q - y) / (q * (1 - q)) : 2 * (q - y);
  });
  const mean = p.reduce((total, q, i) => total + q * byP[i], 0);
  return p.map((q, i) => -(activation === "softmax" ? q * (byP[i] - mean) : q * (1 - q) * byP[i]));
}

/** Where nn.CrossEntropyLoss and nn.BCEWithLogitsLoss stop when they are fed softmax outputs. */
const softmaxTwiceFloor = (k) => Math.log1p((k - 1) / Math.E);
const softmaxSigmoidFloor = (k) => (Math.log1p(1 / Math.E) + (k - 1) * Math.LN2) / k;

/** Three losses of one sample whose true class leads all the others. */
function misuse(lead, k) {
  const share = 1 / (1 + (k - 1) * Math.exp(-lead)), other = Math.exp(-lead) * share;
  return {
    "logits → CrossEntropyLoss": -Math.log(share),
    "softmax → CrossEntropyLoss": Math.log(Math.exp(share) + (k - 1) * Math.exp(other)) - share,
    "softmax → BCEWithLogitsLoss": (softplus(-share) + (k - 1) * softplus(other)) / k,
  };
}

const LABS = {
  error_lab: {
    controls: {
      error: slider("error", 2, -3, 3, 0.1), delta: slider("Huber's delta", 1, 0.2, 2, 0.1),
      other: slider("RMSE: other error", 1, 0, 3, 0.1),
    },
    draw: ({ error, delta, other }) => {
      const root = (e) => Math.sqrt((e * e + other ** 2) / 2);
      return marked(spaced(-3, 3, 601), error, "error = prediction − target", ["What an error costs", "How hard it pulls (slope)"],
        [4.5, 4.3], [0, -4.3], {
          MSE: [(e) => e * e, (e) => 2 * e], MAE: [Math.abs, Math.sign],
          Huber: [(e) => (Math.abs(e) <= delta ? e * e / 2 : delta * (Math.abs(e) - delta / 2)), (e) => clip(e, -delta, delta)],
          RMSE: [root, (e) => e / (2 * Math.max(root(e), 1e-12))],
        }, 3);
    },
  },
  score_lab: {
    controls: { score: slider("score z", -3, -6, 6, 0.5), sign: menu("label", { "yes (+1)": 1, "no (−1)": -1 }) },
    draw: ({ score, sign }) => {
      const yes = (1 + sign) / 2, rivals = Math.log(2);
      return marked(spaced(-6, 6, 601), score, "score z", ["What a score costs", "How hard it pulls (slope)"],
        [7.2, 1.15], [0, -1.15], {
          BCE: [(z) => softplus(-sign * z), (z) => sigmoid(z) - yes],
          "cross-entropy, 3 classes": [(z) => rivals + softplus(z - rivals) - yes * z, (z) => sigmoid(z - rivals) - yes],
          hinge: [(z) => Math.max(0, 1 - sign * z), (z) => (sign * z < 1 ? -sign : 0)],
          "MSE on sigmoid": [(z) => (sigmoid(z) - yes) ** 2, (z) => 2 * (sigmoid(z) - yes) * sigmoid(z) * sigmoid(-z)],
        }, 3);
    },
  },
  walk_lab: {
    controls: {
      rate: slider("step size", 0.4, 0.1, 2.2, 0.1),
      halve: menu("steps are", { "all of one size": 0, "halved every 5 steps": 5 }),
    },
    draw: ({ rate, halve }) => {
      const walks = Object.entries(WALKS).map(([name, slope]) => [name, walk(slope, rate, halve)]);
      const sizes = walks.map(([name, errors]) => [name, errors.map((e) => Math.max(Math.abs(e), 1e-7))]);
      const end = (errors) => (Math.abs(errors.at(-1)) > Math.abs(errors[0]) ? "runs away" : fixed(errors.at(-1), 3));
      return {
        panels: [
          { title: "Error after each step", xLabel: "step", xs: spaced(0, 40, 41), low: -2.5, high: 2.5,
            curves: Object.fromEntries(walks) },
          { title: "Distance to the minimum", xLabel: "step", xs: spaced(0, 40, 41), low: 1e-8, high: 1e8, log: true,
            curves: Object.fromEntries(sizes) },
        ],
        heads: ["loss", "error after 40 steps"], rows: walks.map(([name, errors]) => [name, end(errors)]),
      };
    },
  },
  neuron_lab: {
    controls: {
      weight: slider("start weight", 3, -5, 5, 0.5), bias: slider("start bias", 3, -5, 5, 0.5),
      rate: slider("learning rate", -0.3, -2, 2, 0.1, (power) => +(10 ** power).toPrecision(2)),
      losses: menu("loss", { both: "MSE,cross-entropy", MSE: "MSE", "cross-entropy": "cross-entropy" }),
    },
    draw: ({ weight, bias, rate, losses }) => {
      const paths = losses.split(",").map((loss) => [loss, neuron(loss, weight, bias, 10 ** rate)]);
      const steps = spaced(0, 300, 301), zs = spaced(-10, 10, 201);
      const curves = (what) => Object.fromEntries(paths.map(([loss, path]) => [loss, path[what]]));
      return {
        panels: [
          { title: "Output (target 0)", xLabel: "step", xs: steps, low: 0, high: 1, curves: curves("outputs") },
          { title: "Size of the slope by w and b", xLabel: "step", xs: steps, low: 1e-5, high: 1, log: true,
            curves: curves("slopes") },
          { title: "Start (line) and end (marks) on the sigmoid", xLabel: "z = w + b", xs: zs, low: 0, high: 1,
            at: weight + bias, curves: { sigmoid: zs.map(sigmoid) },
            marks: Object.fromEntries(paths.map(([loss, { logits, outputs }]) => [loss, [[logits.at(-1), outputs.at(-1)]]])) },
        ],
        heads: ["loss", "steps until the output is 0.1", "output after 300 steps"],
        rows: paths.map(([loss, { outputs }]) => {
          const learnt = outputs.findIndex((a) => a <= 0.1);
          return [loss, learnt < 0 ? "more than 300" : String(learnt), fixed(outputs.at(-1), 3)];
        }),
      };
    },
  },
  penalty_lab: {
    controls: { p: slider("p", 0.01, 0.01, 0.99, 0.01) },
    draw: ({ p }) => marked(spaced(0.001, 0.999, 999), p, "p given to what is true",
      ["loss", "size of the slope by p", "size of the slope by the logit"], [5.2, 12, 1.05], [0, 0, 0], PENALTY, 4),
  },
  proper_lab: {
    controls: { truth: slider("true probability", 0.7, 0.05, 0.95, 0.05) },
    draw: ({ truth }) => {
      const xs = spaced(0.001, 0.999, 999);
      const costs = Object.entries(PENALTY).map(([name, [f]]) => [name, xs.map((q) => truth * f(q) + (1 - truth) * f(1 - q))]);
      const best = (cost) => cost.indexOf(Math.min(...cost));
      return {
        panels: costs.map(([name, cost]) => ({
          title: name, xLabel: "probability said", xs, at: truth, low: 0, high: Math.min(2, 1.1 * Math.max(...cost)),
          curves: { [name]: cost }, marks: { [name]: [[xs[best(cost)], cost[best(cost)]]] },
        })),
        heads: ["expected loss of", "best to say"], rows: costs.map(([name, cost]) => [name, fixed(xs[best(cost)], 3)]),
      };
    },
  },
  pull_lab: {
    controls: {
      label: menu("true class", { 0: 0, 1: 1, 2: 2, 3: 3 }),
      ...Object.fromEntries([0.5, 1.5, 0, -1].map((z, i) => [`logit_${i}`, slider(`logit ${i}`, z, -6, 6, 0.5)])),
    },
    draw: ({ label, ...logits }) => {
      const pushes = (activation) => Object.fromEntries(
        ["CE", "BCE", "MSE"].map((loss) => [loss, pull(loss, activation, Object.values(logits), label)]));
      const both = [pushes("softmax"), pushes("sigmoid")];
      const top = 1.1 * Math.max(...both.flatMap((one) => Object.values(one).flat()).map(Math.abs));
      const sum = (values) => fixed(values.reduce((a, b) => a + b), 2);
      return {
        panels: ["softmax", "sigmoid"].map((name, i) => ({
          title: `Push on each logit behind ${name}`, xLabel: `class (the true one is ${label})`, xs: [0, 1, 2, 3],
          low: -top, high: top, bars: true, curves: both[i],
        })),
        heads: ["loss", "sum behind softmax", "sum behind sigmoid"],
        rows: ["CE", "BCE", "MSE"].map((loss) => [loss, ...both.map((one) => sum(one[loss]))]),
      };
    },
  },
  floors_lab: {
    controls: {
      classes: menu("number of classes K", Object.fromEntries([2, 3, 4, 5, 7, 10, 20, 50, 100, 200, 500, 1000].map((k) => [k, k])), 10),
    },
    draw: ({ classes }) => {
      const xs = spaced(0, 15, 61), losses = xs.map((lead) => misuse(lead, classes));
      const ends = [0, softmaxTwiceFloor(classes), softmaxSigmoidFloor(classes)];
      const names = Object.keys(losses[0]);
      return {
        panels: [{
          title: `One sample, K = ${classes} classes`, xLabel: "lead of the true class's logit", xs, low: 0,
          high: 1.1 * Math.max(...names.map((name) => losses[0][name])),
          curves: Object.fromEntries(names.map((name) => [name, losses.map((one) => one[name])])),
        }],
        heads: ["road", "loss of a network that knows nothing", "floor"],
        rows: names.map((name, i) => [name, fixed(losses[0][name], 3), fixed(ends[i], 3)]),
      };
    },
  },
};
