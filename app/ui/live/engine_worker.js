// A worker thread that draws the images of one model.

import { Engine } from "./engine.js";

/**
 * @typedef {{module: WebAssembly.Module, file: import("./engine.js").EngineFile, weights: ArrayBuffer}} Load
 * @typedef {{latent: Float32Array, classWeights: number[]}} Draw
 */

/** @type {Engine | undefined} */
let engine;

self.onmessage = (/** @type {MessageEvent<Load | Draw>} */ { data }) => {
  if ("module" in data) {
    engine = new Engine(data.module, data.file, data.weights);
  } else if (engine) {
    const pixels = engine.draw(data.latent, data.classWeights);
    self.postMessage(pixels, { transfer: [pixels.buffer] });
  }
};
