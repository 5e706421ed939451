// Compares losses and slopes of site/_static/live/ with PyTorch's; run by Node and by Chromium.

/** The largest difference over all cases, beside the size of the largest slope; a refused case must be refused. */
export function differences(cases, { losses, network, training }) {
  return cases.map(({ name, settings, task, digits, images, weights, loss, slopes, scale }) => {
    const k = task.names.length;
    const own = network.network(k, Float32Array.from(images), settings.hidden);
    for (const [key, numbers] of Object.entries(weights)) own.weights[key].set(numbers);
    const aims = training.aimsOf(settings, task, training.targetsOf(task, digits), scale);
    const out = losses.activate(settings.activation, own.forward(digits.map((_, n) => n)), k);
    let found;
    try {
      found = losses.lossOf(settings.loss, task.kind, out, aims, k);
    } catch {
      return { name, refused: true };
    }
    if (loss === null) return { name, accepted: true };
    const back = own.backward(losses.throughActivation(settings.activation, out, found.slope, k));
    let worst = Math.abs(found.loss - loss) / Math.max(1, Math.abs(loss));
    for (const [key, expected] of Object.entries(slopes)) {
      const size = Math.max(1, ...expected.map(Math.abs));
      expected.forEach((g, i) => (worst = Math.max(worst, Math.abs(g - back[key][i]) / size)));
    }
    return { name, worst };
  });
}
