// Runners of a draw queue that draw in this browser, one in each worker thread.

import { classWeightsOf, latentOf } from "./latent.js";

/**
 * @typedef {import("./draw_queue.js").Runner} Runner
 * @typedef {import("./engine.js").EngineFile} EngineFile
 * @typedef {import("./latent.js").Slider} Slider
 */

const WORKER_URL = new URL("./engine_worker.js", import.meta.url).href;
const ENGINE_URL = new URL("./engine.wasm", import.meta.url).href;

/** Number of cores from which a second worker leaves the page and the browser enough. */
const CORES_FOR_TWO = 4;

/** @type {{createScriptURL(url: string): any} | undefined} */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("imagemill", {
  createScriptURL(/** @type {string} */ url) {
    if (url !== WORKER_URL) {
      throw new TypeError(`no script of this page: ${url}`);
    }
    return url;
  },
});

/** @type {Promise<WebAssembly.Module> | undefined} */
let compiled;

/**
 * Compile the engine once. The promise rejects if the browser lacks WebAssembly or its vector instructions.
 *
 * @returns {Promise<WebAssembly.Module>}
 */
export function compileEngine() {
  compiled ??= fetch(ENGINE_URL)
    .then((response) => response.arrayBuffer())
    .then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

/**
 * Start worker threads that draw the images of a model.
 *
 * @param {WebAssembly.Module} module
 * @param {EngineFile} file
 * @param {ArrayBuffer} weights
 * @param {Slider[]} sliders
 * @returns {{runners: Runner[], close(): void}}
 */
export function startWorkers(module, file, weights, sliders) {
  const count = navigator.hardwareConcurrency >= CORES_FOR_TWO ? 2 : 1;
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(policy?.createScriptURL(WORKER_URL) ?? WORKER_URL, { type: "module" });
    worker.postMessage({ module, file, weights });
    return worker;
  });
  return {
    runners: workers.map((worker) => runnerOf(worker, file, sliders)),
    close: () => workers.forEach((worker) => worker.terminate()),
  };
}

/**
 * @param {Worker} worker
 * @param {EngineFile} file
 * @param {Slider[]} sliders
 * @returns {Runner}
 */
function runnerOf(worker, file, sliders) {
  return async ([point]) => {
    const latent = latentOf(point, file.latent_size, sliders);
    const classWeights = classWeightsOf(point, file.classes);
    /** @type {Promise<Uint8ClampedArray<ArrayBuffer>>} */
    const pixels = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(`the worker thread failed: ${message}`));
    });
    worker.postMessage({ latent, classWeights }, [latent.buffer]);
    return [new ImageData(await pixels, file.resolution, file.resolution)];
  };
}
