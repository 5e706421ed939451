// One training of the tiny network in this browser: any loss on any output activation, misfits included.
import { activate, CONTAINS, lossOf, sigmoid, throughActivation } from "./losses.js";
import { adamW, BATCH, FRAMED, network, randomFrom } from "./network.js";

/** The images and digits of a file written by lm_utils/workshop/publish/site_data.py: first those to train on. */
export function readDigits(bytes, { train, valid }) {
  const images = new Float32Array((train + valid) * FRAMED); // the frame around 14x14 pixels is zero
  const digits = Uint8Array.from({ length: train + valid }, (_, n) => bytes[197 * n]);
  for (let n = 0; n < digits.length; n++) {
    for (let i = 0; i < 196; i++) {
      images[n * FRAMED + (((i / 14) | 0) + 1) * 16 + (i % 14) + 1] = bytes[197 * n + 1 + i] / 127.5 - 1;
    }
  }
  return { images, train: digits.subarray(0, train), valid: digits.subarray(train) };
}

/** Digits to a task's targets: class numbers, or rows of numbers. */
export function targetsOf(task, digits) {
  return task.kind === "exclusive" ? Array.from(digits, (d) => task.table[d])
    : Float64Array.from(Array.from(digits).flatMap((d) => task.table[d]));
}

/** Rows of numbers, by their places; `width` numbers a row. */
const rows = (values, places, width) =>
  Float64Array.from({ length: places.length * width }, (_, i) => values[places[(i / width) | 0] * width + (i % width)]);

/** How targets are standardised: learnt from the training targets. */
export function scaleOf(settings, targets) {
  if (!settings.normalize) return { mean: 0, std: 1 };
  const mean = targets.reduce((a, b) => a + b) / targets.length;
  return { mean, std: Math.sqrt(targets.reduce((a, b) => a + (b - mean) ** 2, 0) / (targets.length - 1)) };
}

/** Targets as the loss is to meet them. */
export function aimsOf(settings, task, targets, scale) {
  if (task.kind !== "value") return targets;
  const scaled = targets.map((t) => (t - scale.mean) / scale.std);
  return settings.activation === "sigmoid_inverse" ? scaled.map(sigmoid) : scaled;
}

/** The output bias at which every output starts at its share in the training set. */
export function priorBias(settings, task, targets) {
  const k = task.names.length;
  const shares = Array.from({ length: k }, (_, i) => {
    const yes = task.kind === "exclusive" ? targets.filter((t) => t === i).length / targets.length
      : targets.reduce((sum, t, place) => sum + (place % k === i ? t : 0), 0) / (targets.length / k);
    return Math.min(1 - 1e-4, Math.max(1e-4, yes));
  });
  const squash = settings.activation === "none" ? CONTAINS[settings.loss] ?? "none" : settings.activation;
  if (settings.loss === "hinge" && squash === "none") return shares.map((share) => 2 * share - 1);
  if (squash === "sigmoid") return shares.map((share) => Math.log(share / (1 - share)));
  return squash === "softmax" ? shares.map(Math.log) : shares;
}

/** Outputs as an answer: a number on the original scale, or probabilities with their cut at 0.5. */
export function predictions(settings, task, out, scale) {
  const k = task.names.length;
  if (task.kind === "value") {
    const values = settings.activation === "sigmoid_inverse" ? out.map((p) => Math.log(p / (1 - p))) : out;
    return values.map((v) => v * scale.std + scale.mean);
  }
  if (settings.activation !== "none") return out;
  if (settings.loss === "cross_entropy") return activate("softmax", out, k);
  return settings.loss === "bce_logits" || settings.loss === "hinge" ? out.map(sigmoid) : out;
}

/** The metric: mean squared error, or the share of right answers. */
export function score(task, told, targets) {
  const k = task.names.length;
  if (task.kind === "value") return told.reduce((sum, p, i) => sum + (p - targets[i]) ** 2, 0) / told.length;
  if (task.kind !== "exclusive") {
    return told.reduce((sum, p, i) => sum + ((p >= 0.5) === (targets[i] > 0.5)), 0) / told.length;
  }
  return targets.filter((target, row) => {
    const own = told.subarray(row * k, (row + 1) * k);
    return own.indexOf(Math.max(...own)) === target;
  }).length / targets.length;
}

/** The metric of the best constant answer, learnt from the training targets. */
export function baseline(task, train, valid) {
  const k = task.names.length;
  const share = (i) => train.reduce((sum, t, place) => sum + (place % k === i ? t : 0), 0) / (train.length / k);
  if (task.kind === "value") return score(task, valid.map(() => share(0)), valid);
  if (task.kind !== "exclusive") return score(task, valid.map((_, place) => share(place % k)), valid);
  const counts = Array.from({ length: k }, (_, i) => train.filter((t) => t === i).length);
  const usual = counts.indexOf(Math.max(...counts));
  return valid.filter((t) => t === usual).length / valid.length;
}

/** Numbers 0 to count - 1 in a random order. */
function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Train epoch by epoch; yields what is known after each. `settings`: loss, activation, hidden, lr, seed, ... */
export function* train(settings, task, data) {
  const k = task.names.length, width = task.kind === "exclusive" ? 1 : k, random = randomFrom(settings.seed);
  const targets = { train: targetsOf(task, data.train), valid: targetsOf(task, data.valid) };
  const scale = scaleOf(settings, targets.train);
  const aims = Float64Array.from(aimsOf(settings, task, targets.train, scale));
  const validAims = Float64Array.from(aimsOf(settings, task, targets.valid, scale));
  const { weights, forward, backward } = network(k, data.images, settings.hidden, random);
  if (settings.priorBias) weights["out.bias"].set(priorBias(settings, task, targets.train));
  const step = adamW(weights, settings.lr);
  const outputs = (places) => activate(settings.activation, forward(places), k);
  const judged = Array.from(data.valid, (_, n) => data.train.length + n);
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    const order = shuffled(data.train.length, random);
    let total = 0;
    for (const places of batches(order)) {
      const out = outputs(places);
      const { loss, slope } = lossOf(settings.loss, task.kind, out, rows(aims, places, width), k);
      step(backward(throughActivation(settings.activation, out, slope, k)));
      total += loss * places.length;
    }
    const out = Float64Array.from(batches(judged).flatMap((places) => [...outputs(places)]));
    const told = predictions(settings, task, out, scale);
    yield {
      epoch,
      trainLoss: total / order.length,
      validLoss: meanLoss(settings, task, out, validAims),
      metric: score(task, told, targets.valid),
    };
    if (!Number.isFinite(total)) return;
  }
}

/** A list in pieces of a batch. */
const batches = (list) => Array.from({ length: Math.ceil(list.length / BATCH) }, (_, i) => list.slice(i * BATCH, (i + 1) * BATCH));

/** The loss over all validation images; one that reads the batch as one sample is taken in batches. */
function meanLoss(settings, task, out, aims) {
  const k = task.names.length;
  if (settings.loss !== "cross_entropy" || k > 1) return lossOf(settings.loss, task.kind, out, aims, k).loss;
  const losses = batches([...out]).map((some, i) => // one output an image
    lossOf(settings.loss, task.kind, Float64Array.from(some), aims.slice(i * BATCH, (i + 1) * BATCH), k).loss);
  return losses.reduce((sum, one) => sum + one) / losses.length;
}
