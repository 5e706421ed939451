// The tiny network of lm_utils/model.py (TinyCNN) on images of 14x14 pixels, framed to 16x16, with its gradients.
// Convolution, pooling and ReLU are one step: the four numbers that the kernels take at once are the four places of which
// pooling keeps one, and behind the convolutions four images.
import { kernels } from "./kernels.js";
import { sigmoid } from "./losses.js";

export const FRAMED = 256, BATCH = 32; // numbers of a framed image; images that pass at once, at most
const MAPS1 = 8, MAPS2 = 16, CELLS1 = 49, CELLS2 = 9, AREA = 81, FEATURES = 144, UNITS = 32, PATCH1 = 36, PATCH2 = 288;

/** Random numbers from 0 to 1 out of a seed (mulberry32). */
export function randomFrom(seed) {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Where in an image the taps of a cell lie: the 3x3 numbers, each at four places. */
const TAPS1 = Int32Array.from({ length: PATCH1 }, (_, i) => {
  const tap = i >> 2, y = ((tap / 3) | 0) + ((i >> 1) & 1), x = (tap % 3) + (i & 1);
  return y * 16 + x;
});
const STARTS2 = Array.from({ length: CELLS2 }, (_, cell) => 4 * (18 * ((cell / 3) | 0) + 2 * (cell % 3))); // in bytes
const INSIDE = Array.from({ length: CELLS1 }, (_, cell) => 9 * ((cell / 7) | 0) + (cell % 7) + 10); // of a framed map

/**
 * A network with fresh weights, drawn as PyTorch draws them, that has seen these framed images. `forward` takes the
 * numbers of some images and returns their logits; `backward` takes the logits' slopes and returns those of the weights.
 */
export function network(outputs, images, hidden = "sigmoid", random = randomFrom(0)) {
  const count = images.length / FRAMED;
  const { buffer, ...run } = kernels(count * CELLS1 * PATCH1 + BATCH * CELLS2 * PATCH2 + 65536);
  let used = 0;
  const take = (size, Numbers = Float32Array) => {
    const taken = new Numbers(buffer, used, size);
    used += 16 * Math.ceil(size / 4);
    return taken;
  };
  const weights = {}, slopes = {};
  const layer = (name, rows, inputs) => {
    const padded = 4 * Math.ceil(rows / 4), bound = 1 / Math.sqrt(inputs);
    const weight = take(padded * inputs), bias = take(padded), fours = take(4 * padded * inputs);
    for (const [part, all, size] of [["weight", weight, rows * inputs], ["bias", bias, rows]]) {
      weights[`${name}.${part}`] = all.subarray(0, size);
      for (let i = 0; i < size; i++) all[i] = (2 * random() - 1) * bound;
      slopes[`${name}.${part}`] = new Float32Array(size);
    }
    return {
      fours, toBias: slopes[`${name}.bias`], toWeight: slopes[`${name}.weight`],
      forward: (from, to) => run.forward(from, weight.byteOffset, bias.byteOffset, to, padded, inputs),
      backward: (from, slope, back) => run.backward(from, weight.byteOffset, slope.byteOffset, fours.byteOffset, back.byteOffset,
        padded, inputs),
    };
  };
  const conv1 = layer("conv1", MAPS1, 9), conv2 = layer("conv2", MAPS2, 9 * MAPS1);
  const fc = layer("fc", UNITS, FEATURES), out = layer("out", outputs, UNITS);
  const patches1 = take(count * CELLS1 * PATCH1), patches2 = take(BATCH * CELLS2 * PATCH2);
  const features = take(BATCH * FEATURES), units = take(BATCH * UNITS), sums = take(4 * UNITS);
  const toSums = take(4 * UNITS), toUnits = take(4 * UNITS), toFeatures = take(4 * FEATURES), toPatch = take(PATCH2);
  const maps = take(MAPS1 * AREA), toMaps = take(MAPS1 * AREA), best = take(MAPS2);
  const kept1 = take(BATCH * MAPS1 * CELLS1, Int32Array), kept2 = take(BATCH * FEATURES, Int32Array);
  for (let cell = 0, to = 0; cell < count * CELLS1; cell++) {
    const place = cell % CELLS1, start = ((cell / CELLS1) | 0) * FRAMED + 32 * ((place / 7) | 0) + 2 * (place % 7);
    for (let i = 0; i < PATCH1; i++) patches1[to++] = images[start + TAPS1[i]];
  }
  const patch1 = (image, cell) => patches1.byteOffset + 4 * PATCH1 * (image * CELLS1 + cell);
  const patch2 = (n, cell) => patches2.byteOffset + 4 * PATCH2 * (n * CELLS2 + cell);
  let shown = [];

  function forward(chosen) {
    shown = chosen;
    for (let n = 0; n < chosen.length; n++) {
      for (let cell = 0; cell < CELLS1; cell++) {
        conv1.forward(patch1(chosen[n], cell), sums.byteOffset);
        run.pool(sums.byteOffset, best.byteOffset, kept1.byteOffset + 4 * MAPS1 * (n * CELLS1 + cell), MAPS1);
        for (let o = 0, to = INSIDE[cell]; o < MAPS1; o++, to += AREA) maps[to] = best[o];
      }
      for (let cell = 0; cell < CELLS2; cell++) {
        run.gather(maps.byteOffset + STARTS2[cell], patch2(n, cell), MAPS1);
        conv2.forward(patch2(n, cell), sums.byteOffset);
        run.pool(sums.byteOffset, best.byteOffset, kept2.byteOffset + 4 * MAPS2 * (n * CELLS2 + cell), MAPS2);
        for (let o = 0, to = 4 * ((n >> 2) * FEATURES + cell) + (n & 3); o < MAPS2; o++, to += 4 * CELLS2) features[to] = best[o];
      }
    }
    const logits = new Float64Array(chosen.length * outputs);
    for (let n = 0; n < chosen.length; n += 4) {
      const to = n * UNITS;
      fc.forward(features.byteOffset + 4 * n * FEATURES, units.byteOffset + 4 * to);
      for (let i = to; i < to + 4 * UNITS; i++) units[i] = hidden === "relu" ? Math.max(0, units[i]) : sigmoid(units[i]);
      out.forward(units.byteOffset + 4 * to, sums.byteOffset);
      for (let i = 0; i < 4 * outputs; i++) if (n + (i & 3) < chosen.length) logits[(n + (i & 3)) * outputs + (i >> 2)] = sums[i];
    }
    return logits;
  }

  /** Give the slope of a pooled number to the place that it came from. */
  function unpooled(o, slope, place, { toBias }) {
    toSums[4 * o] = toSums[4 * o + 1] = toSums[4 * o + 2] = toSums[4 * o + 3] = 0;
    if (place < 0) return;
    toSums[4 * o + place] = slope;
    toBias[o] += slope;
  }

  /** The way back behind the convolutions, for four images. */
  function linearBack(n, slope) {
    toSums.fill(0);
    for (let i = 0; i < 4 * outputs; i++) out.toBias[i >> 2] += toSums[i] = slope[(n + (i & 3)) * outputs + (i >> 2)] ?? 0;
    out.backward(units.byteOffset + 4 * n * UNITS, toSums, toUnits.fill(0));
    for (let i = 0; i < 4 * UNITS; i++) {
      const unit = units[n * UNITS + i];
      fc.toBias[i >> 2] += toUnits[i] *= hidden === "relu" ? +(unit > 0) : unit * (1 - unit);
    }
    fc.backward(features.byteOffset + 4 * n * FEATURES, toUnits, toFeatures.fill(0));
  }

  function convolutionsBack(n) {
    toMaps.fill(0);
    for (let cell = 0; cell < CELLS2; cell++) {
      const at = (n * CELLS2 + cell) * MAPS2;
      for (let o = 0; o < MAPS2; o++) unpooled(o, toFeatures[4 * (o * CELLS2 + cell) + (n & 3)], kept2[at + o], conv2);
      conv2.backward(patch2(n, cell), toSums, toPatch.fill(0));
      run.scatter(toMaps.byteOffset + STARTS2[cell], toPatch.byteOffset, MAPS1);
    }
    for (let cell = 0; cell < CELLS1; cell++) {
      const at = (n * CELLS1 + cell) * MAPS1;
      for (let o = 0; o < MAPS1; o++) unpooled(o, toMaps[o * AREA + INSIDE[cell]], kept1[at + o], conv1);
      conv1.backward(patch1(shown[n], cell), toSums, toPatch); // nobody asks for the slopes of pixels
    }
  }

  function backward(slope) {
    for (const { fours, toBias } of [conv1, conv2, fc, out]) fours.fill(0), toBias.fill(0);
    for (let n = 0; n < shown.length; n++) {
      if (n % 4 === 0) linearBack(n, slope);
      convolutionsBack(n);
    }
    for (const { fours, toWeight } of [conv1, conv2, fc, out]) {
      for (let i = 0, j = 0; i < toWeight.length; i++, j += 4) toWeight[i] = fours[j] + fours[j + 1] + (fours[j + 2] + fours[j + 3]);
    }
    return slopes;
  }

  return { weights, forward, backward };
}

/** AdamW with PyTorch's own settings; changes the weights in place. */
export function adamW(weights, lr) {
  const mean = {}, square = {};
  for (const name in weights) {
    mean[name] = new Float64Array(weights[name].length);
    square[name] = new Float64Array(weights[name].length);
  }
  let step = 0;
  return (slopes) => {
    step += 1;
    const first = 1 - 0.9 ** step, second = Math.sqrt(1 - 0.999 ** step);
    for (const name in weights) {
      const w = weights[name], g = slopes[name], m = mean[name], v = square[name];
      for (let i = 0; i < w.length; i++) {
        m[i] += 0.1 * (g[i] - m[i]);
        v[i] += 0.001 * (g[i] * g[i] - v[i]);
        w[i] -= lr * (0.01 * w[i] + m[i] / first / (Math.sqrt(v[i]) / second + 1e-8));
      }
    }
  };
}
