// The tiny network of lm_utils/model.py (TinyCNN) on images of 14x14 pixels, framed to 16x16, with its gradients.
// Convolution, pooling and ReLU are one step; going back, only the largest of four positions has a slope.
import { sigmoid } from "./losses.js";

export const FRAMED = 256; // numbers of a framed image
const MAPS1 = 8, MAPS2 = 16, SIDE1 = 7, SIDE2 = 3, FEATURES = 144, UNITS = 32;

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

/** How many weights each layer has, and how many inputs each of its units reads. */
export function shapes(outputs) {
  return [
    ["conv1.weight", MAPS1 * 9, 9], ["conv1.bias", MAPS1, 9],
    ["conv2.weight", MAPS2 * MAPS1 * 9, 72], ["conv2.bias", MAPS2, 72],
    ["fc.weight", UNITS * FEATURES, FEATURES], ["fc.bias", UNITS, FEATURES],
    ["out.weight", outputs * UNITS, UNITS], ["out.bias", outputs, UNITS],
  ];
}

/** Fresh weights, as PyTorch draws them: evenly within one over the root of the number of inputs. */
export function freshWeights(outputs, random) {
  const weights = {};
  for (const [name, count, inputs] of shapes(outputs)) {
    const bound = 1 / Math.sqrt(inputs);
    weights[name] = Float64Array.from({ length: count }, () => (2 * random() - 1) * bound);
  }
  return weights;
}

/**
 * 3x3 convolution of framed maps, the largest of each 2x2, ReLU. Writes the pooled maps into `target`, whose rows are
 * `wide` and whose first number is at `corner`, and the place of each largest into `places` (-1: ReLU cut it off).
 */
function convolvePool(input, from, maps, width, weight, bias, count, side, target, to, wide, corner, places, at) {
  const area = width * width, plane = wide * wide;
  for (let o = 0; o < count; o++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const start = 2 * y * width + 2 * x;
        let s0 = bias[o], s1 = s0, s2 = s0, s3 = s0; // the four positions, from one reading of their 4x4 numbers
        for (let c = 0; c < maps; c++) {
          const i = from + c * area + start, j = i + width, l = j + width, n = l + width, w = (o * maps + c) * 9;
          const a0 = input[i], a1 = input[i + 1], a2 = input[i + 2], a3 = input[i + 3];
          const b0 = input[j], b1 = input[j + 1], b2 = input[j + 2], b3 = input[j + 3];
          const c0 = input[l], c1 = input[l + 1], c2 = input[l + 2], c3 = input[l + 3];
          const d0 = input[n], d1 = input[n + 1], d2 = input[n + 2], d3 = input[n + 3];
          const w0 = weight[w], w1 = weight[w + 1], w2 = weight[w + 2], w3 = weight[w + 3], w4 = weight[w + 4];
          const w5 = weight[w + 5], w6 = weight[w + 6], w7 = weight[w + 7], w8 = weight[w + 8];
          s0 += w0 * a0 + w1 * a1 + w2 * a2 + w3 * b0 + w4 * b1 + w5 * b2 + w6 * c0 + w7 * c1 + w8 * c2;
          s1 += w0 * a1 + w1 * a2 + w2 * a3 + w3 * b1 + w4 * b2 + w5 * b3 + w6 * c1 + w7 * c2 + w8 * c3;
          s2 += w0 * b0 + w1 * b1 + w2 * b2 + w3 * c0 + w4 * c1 + w5 * c2 + w6 * d0 + w7 * d1 + w8 * d2;
          s3 += w0 * b1 + w1 * b2 + w2 * b3 + w3 * c1 + w4 * c2 + w5 * c3 + w6 * d1 + w7 * d2 + w8 * d3;
        }
        let best = s0, place = start;
        if (s1 > best) (best = s1), (place = start + 1);
        if (s2 > best) (best = s2), (place = start + width);
        if (s3 > best) (best = s3), (place = start + width + 1);
        target[to + o * plane + y * wide + x + corner] = best > 0 ? best : 0;
        places[at + (o * side + y) * side + x] = best > 0 ? place : -1;
      }
    }
  }
}

/** Images (framed, one after the other) to logits, with everything that the way back needs. */
export function forward(weights, images, count, hidden = "sigmoid") {
  const outputs = weights["out.bias"].length;
  const kept = {
    images, count, hidden, outputs,
    maps: new Float64Array(count * MAPS1 * 81), places1: new Int32Array(count * MAPS1 * 49),
    features: new Float64Array(count * FEATURES), places2: new Int32Array(count * FEATURES),
    units: new Float64Array(count * UNITS), logits: new Float64Array(count * outputs),
  };
  for (let n = 0; n < count; n++) {
    convolvePool(images, n * FRAMED, 1, 16, weights["conv1.weight"], weights["conv1.bias"], MAPS1, SIDE1,
      kept.maps, n * MAPS1 * 81, 9, 10, kept.places1, n * MAPS1 * 49);
    convolvePool(kept.maps, n * MAPS1 * 81, MAPS1, 9, weights["conv2.weight"], weights["conv2.bias"], MAPS2, SIDE2,
      kept.features, n * FEATURES, SIDE2, 0, kept.places2, n * FEATURES);
  }
  linear(kept.features, weights["fc.weight"], weights["fc.bias"], kept.units, count);
  const squash = hidden === "relu" ? (x) => Math.max(0, x) : sigmoid;
  for (let i = 0; i < kept.units.length; i++) kept.units[i] = squash(kept.units[i]);
  linear(kept.units, weights["out.weight"], weights["out.bias"], kept.logits, count);
  return kept;
}

function linear(input, weight, bias, target, count) {
  const units = bias.length, inputs = weight.length / units;
  for (let n = 0; n < count; n++) {
    for (let u = 0; u < units; u++) {
      let sum = bias[u];
      for (let i = 0, w = u * inputs, x = n * inputs; i < inputs; i++) sum += weight[w + i] * input[x + i];
      target[n * units + u] = sum;
    }
  }
}

/** The slopes of a linear layer's weights; returns those of its input. */
function linearBack(input, weight, slope, toWeight, toBias, count) {
  const units = toBias.length, inputs = weight.length / units, back = new Float64Array(count * inputs);
  for (let n = 0; n < count; n++) {
    for (let u = 0; u < units; u++) {
      const g = slope[n * units + u];
      if (g === 0) continue;
      toBias[u] += g;
      for (let i = 0, w = u * inputs, x = n * inputs; i < inputs; i++) {
        toWeight[w + i] += g * input[x + i];
        back[x + i] += g * weight[w + i];
      }
    }
  }
  return back;
}

/** The way back through a convolution with pooling, for one image; `back` gets the input's slopes where given. */
function convolveBack(input, from, maps, width, weight, count, slopes, places, at, cells, toWeight, toBias, back) {
  const area = width * width;
  for (let o = 0; o < count; o++) {
    for (let cell = 0; cell < cells; cell++) {
      const place = places[at + o * cells + cell], g = slopes[o * cells + cell];
      if (place < 0 || g === 0) continue;
      toBias[o] += g;
      for (let c = 0; c < maps; c++) {
        const i = c * area + place, w = (o * maps + c) * 9;
        for (let row = 0; row < 3; row++) {
          const j = i + row * width, v = w + 3 * row, k = from + j;
          toWeight[v] += g * input[k];
          toWeight[v + 1] += g * input[k + 1];
          toWeight[v + 2] += g * input[k + 2];
          if (back === null) continue;
          back[j] += g * weight[v];
          back[j + 1] += g * weight[v + 1];
          back[j + 2] += g * weight[v + 2];
        }
      }
    }
  }
}

/** The slopes of all weights, from those of the logits. */
export function backward(weights, kept, slope) {
  const slopes = {};
  for (const [name, count] of shapes(kept.outputs)) slopes[name] = new Float64Array(count);
  const { units, count } = kept;
  const toUnits = linearBack(units, weights["out.weight"], slope, slopes["out.weight"], slopes["out.bias"], count);
  for (let i = 0; i < units.length; i++) {
    toUnits[i] *= kept.hidden === "relu" ? +(units[i] > 0) : units[i] * (1 - units[i]);
  }
  const toFeatures = linearBack(kept.features, weights["fc.weight"], toUnits, slopes["fc.weight"], slopes["fc.bias"],
    count);
  const toMaps = new Float64Array(MAPS1 * 81), toPooled = new Float64Array(MAPS1 * 49);
  for (let n = 0; n < count; n++) {
    toMaps.fill(0);
    convolveBack(kept.maps, n * MAPS1 * 81, MAPS1, 9, weights["conv2.weight"], MAPS2,
      toFeatures.subarray(n * FEATURES, (n + 1) * FEATURES), kept.places2, n * FEATURES, 9,
      slopes["conv2.weight"], slopes["conv2.bias"], toMaps);
    for (let i = 0; i < toPooled.length; i++) { // without the frame
      const map = (i / 49) | 0, cell = i % 49;
      toPooled[i] = toMaps[map * 81 + ((cell / 7) | 0) * 9 + (cell % 7) + 10];
    }
    convolveBack(kept.images, n * FRAMED, 1, 16, weights["conv1.weight"], MAPS1, toPooled, kept.places1,
      n * MAPS1 * 49, 49, slopes["conv1.weight"], slopes["conv1.bias"], null);
  }
  return slopes;
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
