// The eight losses and the output activations, each with its slope, as lm_utils/losses.py and pairing.py define them.
// Outputs are rows of `k` numbers, one row an image. `aims` are rows of numbers too, or class numbers for exclusive
// classes (`kind` says which).

export const LOSSES = ["mse", "mae", "rmse", "huber", "bce", "bce_logits", "cross_entropy", "hinge"];
export const ACTIVATIONS = ["none", "relu", "sigmoid", "softmax", "sigmoid_inverse"];
export const CONTAINS = { bce_logits: "sigmoid", cross_entropy: "softmax" };
const SMALLEST_SQUARE = 1e-12;

export const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

/** Softmax of `count` numbers from `start` on, written into `result`. */
function softmaxInto(z, start, count, result) {
  let top = -Infinity;
  for (let i = start; i < start + count; i++) top = Math.max(top, z[i]);
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += result[i] = Math.exp(z[i] - top);
  for (let i = start; i < start + count; i++) result[i] /= sum;
  return top + Math.log(sum); // the logarithm of the sum of exponentials
}

/** Logits to outputs. */
export function activate(name, z, k) {
  if (name === "none") return z.slice();
  if (name === "relu") return z.map((x) => Math.max(0, x));
  if (name !== "softmax") return z.map(sigmoid);
  const out = new Float64Array(z.length);
  for (let row = 0; row < z.length; row += k) softmaxInto(z, row, k, out);
  return out;
}

/** The slope with respect to the outputs becomes the slope with respect to the logits. */
export function throughActivation(name, out, slope, k) {
  if (name === "none") return slope;
  if (name === "relu") return slope.map((g, i) => (out[i] > 0 ? g : 0));
  if (name !== "softmax") return slope.map((g, i) => g * out[i] * (1 - out[i]));
  const result = new Float64Array(slope.length);
  for (let row = 0; row < slope.length; row += k) {
    let mean = 0;
    for (let i = row; i < row + k; i++) mean += slope[i] * out[i];
    for (let i = row; i < row + k; i++) result[i] = out[i] * (slope[i] - mean);
  }
  return result;
}

/** Aims in the outputs' own shape: class numbers become rows of zeros and a one. */
function spread(aims, kind, k) {
  if (kind !== "exclusive") return aims;
  const rows = new Float64Array(aims.length * k);
  aims.forEach((name, row) => (rows[row * k + name] = 1));
  return rows;
}

/** For each loss: the value of one output and its slope; both are averaged over all outputs. */
const EACH = {
  mse: (out, y) => [(out - y) ** 2, 2 * (out - y)],
  mae: (out, y) => [Math.abs(out - y), Math.sign(out - y)],
  huber: (out, y) => {
    const d = out - y;
    return Math.abs(d) < 1 ? [0.5 * d * d, d] : [Math.abs(d) - 0.5, Math.sign(d)];
  },
  bce: (p, y) => [
    -(y * Math.max(Math.log(p), -100) + (1 - y) * Math.max(Math.log1p(-p), -100)),
    (p - y) / Math.max(p * (1 - p), 1e-12),
  ],
  bce_logits: (z, y) => [Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z))), sigmoid(z) - y],
  hinge: (z, y) => {
    const sign = y > 0.5 ? 1 : -1;
    return 1 - sign * z >= 0 ? [1 - sign * z, -sign] : [0, 0];
  },
};

/** The loss of a batch and its slope with respect to the outputs. What a loss refuses is an error in its words. */
export function lossOf(name, kind, out, aims, k) {
  if (name === "cross_entropy") return crossEntropy(kind, out, aims, k);
  const wanted = spread(aims, kind, k);
  if (name === "bce" && ![...out, ...wanted].every((x) => x >= 0 && x <= 1)) {
    throw new Error("nn.BCELoss refuses numbers outside 0 to 1: all elements of input should be between 0 and 1");
  }
  if (name === "hinge" && kind === "value") throw new Error("The hinge loss needs labels of -1 and +1, not numbers.");
  const each = EACH[name === "rmse" ? "mse" : name];
  const slope = new Float64Array(out.length);
  let total = 0;
  for (let i = 0; i < out.length; i++) {
    const [value, g] = each(out[i], wanted[i]);
    total += value;
    slope[i] = g / out.length;
  }
  const mean = total / out.length;
  if (name !== "rmse") return { loss: mean, slope };
  const root = Math.sqrt(Math.max(mean, SMALLEST_SQUARE));
  const inner = mean >= SMALLEST_SQUARE ? 1 / (2 * root) : 0;
  return { loss: root, slope: slope.map((g) => g * inner) };
}

/** nn.CrossEntropyLoss; a single output makes the whole batch one "sample" with as many classes as images. */
function crossEntropy(kind, out, aims, k) {
  const flat = kind === "value" || kind === "single";
  const width = flat ? out.length : k;
  const wanted = spread(aims, kind, k);
  const slope = new Float64Array(out.length);
  const rows = out.length / width;
  let total = 0;
  for (let row = 0; row < out.length; row += width) {
    const logSum = softmaxInto(out, row, width, slope);
    let weight = 0;
    for (let i = row; i < row + width; i++) {
      total -= wanted[i] * (out[i] - logSum);
      weight += wanted[i];
    }
    for (let i = row; i < row + width; i++) slope[i] = (slope[i] * weight - wanted[i]) / rows;
  }
  return { loss: total / rows, slope };
}
