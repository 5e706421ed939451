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

/** The numbers that a pass over `count` images leaves behind; one batch after the other can use the same. */
export function roomFor(count, outputs) {
  return {
    count, outputs,
    maps: new Float64Array(count * MAPS1 * 81), places1: new Int32Array(count * MAPS1 * 49),
    features: new Float64Array(count * FEATURES), places2: new Int32Array(count * FEATURES),
    units: new Float64Array(count * UNITS), logits: new Float64Array(count * outputs),
    toUnits: new Float64Array(count * UNITS), toFeatures: new Float64Array(count * FEATURES),
    toMaps: new Float64Array(MAPS1 * 81), toPooled: new Float64Array(MAPS1 * 49),
    slopes: Object.fromEntries(shapes(outputs).map(([name, size]) => [name, new Float64Array(size)])),
  };
}

/** Images (framed, one after the other) to logits, with everything that the way back needs. */
export function forward(weights, images, count, hidden = "sigmoid", kept = roomFor(count, weights["out.bias"].length)) {
  kept.images = images;
  kept.hidden = hidden;
  for (let n = 0; n < count; n++) {
    convolvePool(images, n * FRAMED, 1, 16, weights["conv1.weight"], weights["conv1.bias"], MAPS1, SIDE1,
      kept.maps, n * MAPS1 * 81, 9, 10, kept.places1, n * MAPS1 * 49);
    convolvePool(kept.maps, n * MAPS1 * 81, MAPS1, 9, weights["conv2.weight"], weights["conv2.bias"], MAPS2, SIDE2,
      kept.features, n * FEATURES, SIDE2, 0, kept.places2, n * FEATURES);
  }
  linear(kept.features, weights["fc.weight"], weights["fc.bias"], kept.units, count);
  const { units } = kept;
  for (let i = 0; i < units.length; i++) units[i] = hidden === "relu" ? Math.max(0, units[i]) : sigmoid(units[i]);
  linear(units, weights["out.weight"], weights["out.bias"], kept.logits, count);
  return kept;
}

function linear(input, weight, bias, target, count) {
  const units = bias.length, inputs = weight.length / units;
  for (let n = 0; n < count; n++) {
    for (let u = 0; u < units; u++) {
      let s0 = bias[u], s1 = 0, s2 = 0, s3 = 0; // four sums: none waits for another; inputs come in fours
      for (let i = 0, w = u * inputs, x = n * inputs; i < inputs; i += 4, w += 4, x += 4) {
        s0 += weight[w] * input[x];
        s1 += weight[w + 1] * input[x + 1];
        s2 += weight[w + 2] * input[x + 2];
        s3 += weight[w + 3] * input[x + 3];
      }
      target[n * units + u] = s0 + s1 + (s2 + s3);
    }
  }
}

/** The slopes of a linear layer's weights, added up, and those of its input, written into `back`. */
function linearBack(input, weight, slope, toWeight, toBias, count, back) {
  const units = toBias.length, inputs = weight.length / units;
  back.fill(0);
  for (let n = 0; n < count; n++) {
    for (let u = 0; u < units; u++) {
      const g = slope[n * units + u];
      if (g === 0) continue;
      toBias[u] += g;
      for (let i = 0, w = u * inputs, x = n * inputs; i < inputs; i++, w++, x++) {
        toWeight[w] += g * input[x];
        back[x] += g * weight[w];
      }
    }
  }
}

/**
 * The way back through a convolution with pooling, for one image; `back` gets the input's slopes where given. What is
 * added up, and what is multiplied by, stays in local numbers over all cells of a map.
 */
function convolveBack(input, from, maps, width, weight, count, slopes, first, places, at, cells, toWeight, toBias, back) {
  const area = width * width;
  for (let o = 0; o < count; o++) {
    const start = first + o * cells, spot = at + o * cells;
    let sum = 0;
    for (let cell = 0; cell < cells; cell++) if (places[spot + cell] >= 0) sum += slopes[start + cell];
    toBias[o] += sum;
    for (let c = 0; c < maps; c++) {
      const w = (o * maps + c) * 9, corner = from + c * area;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0, s8 = 0;
      for (let cell = 0; cell < cells; cell++) {
        const place = places[spot + cell];
        if (place < 0) continue;
        const g = slopes[start + cell], i = corner + place, j = i + width, l = j + width;
        s0 += g * input[i];
        s1 += g * input[i + 1];
        s2 += g * input[i + 2];
        s3 += g * input[j];
        s4 += g * input[j + 1];
        s5 += g * input[j + 2];
        s6 += g * input[l];
        s7 += g * input[l + 1];
        s8 += g * input[l + 2];
      }
      toWeight[w] += s0;
      toWeight[w + 1] += s1;
      toWeight[w + 2] += s2;
      toWeight[w + 3] += s3;
      toWeight[w + 4] += s4;
      toWeight[w + 5] += s5;
      toWeight[w + 6] += s6;
      toWeight[w + 7] += s7;
      toWeight[w + 8] += s8;
      if (back === null) continue;
      const w0 = weight[w], w1 = weight[w + 1], w2 = weight[w + 2], w3 = weight[w + 3], w4 = weight[w + 4];
      const w5 = weight[w + 5], w6 = weight[w + 6], w7 = weight[w + 7], w8 = weight[w + 8];
      for (let cell = 0; cell < cells; cell++) {
        const place = places[spot + cell];
        if (place < 0) continue;
        const g = slopes[start + cell], i = c * area + place, j = i + width, l = j + width;
        back[i] += g * w0;
        back[i + 1] += g * w1;
        back[i + 2] += g * w2;
        back[j] += g * w3;
        back[j + 1] += g * w4;
        back[j + 2] += g * w5;
        back[l] += g * w6;
        back[l + 1] += g * w7;
        back[l + 2] += g * w8;
      }
    }
  }
}

/** The slopes of all weights, from those of the logits. */
export function backward(weights, kept, slope) {
  const { units, count, slopes, toUnits, toFeatures, toMaps, toPooled } = kept;
  for (const name in slopes) slopes[name].fill(0);
  linearBack(units, weights["out.weight"], slope, slopes["out.weight"], slopes["out.bias"], count, toUnits);
  for (let i = 0; i < units.length; i++) {
    toUnits[i] *= kept.hidden === "relu" ? +(units[i] > 0) : units[i] * (1 - units[i]);
  }
  linearBack(kept.features, weights["fc.weight"], toUnits, slopes["fc.weight"], slopes["fc.bias"], count, toFeatures);
  for (let n = 0; n < count; n++) {
    toMaps.fill(0);
    convolveBack(kept.maps, n * MAPS1 * 81, MAPS1, 9, weights["conv2.weight"], MAPS2,
      toFeatures, n * FEATURES, kept.places2, n * FEATURES, 9, slopes["conv2.weight"], slopes["conv2.bias"], toMaps);
    for (let map = 0, i = 0; map < MAPS1; map++) { // without the frame
      for (let row = 0; row < SIDE1; row++) {
        for (let x = 0; x < SIDE1; x++) toPooled[i++] = toMaps[map * 81 + row * 9 + x + 10];
      }
    }
    convolveBack(kept.images, n * FRAMED, 1, 16, weights["conv1.weight"], MAPS1, toPooled, 0, kept.places1,
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
