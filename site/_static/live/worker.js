// Trains beside the page, so that the page stays awake; the page ends it to stop.
import { readDigits, train } from "./training.js";

onmessage = async ({ data: { settings, task, digits } }) => {
  try {
    const reply = await fetch(new URL(digits.file, import.meta.url));
    const data = readDigits(new Uint8Array(await reply.arrayBuffer()), digits);
    for (const record of train(settings, task, data)) postMessage({ record });
    postMessage({ done: true });
  } catch (problem) {
    postMessage({ refused: problem.message });
  }
};
