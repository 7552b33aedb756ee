// Runners of a draw queue that draw in this browser, one in each worker thread.

import { classWeightsOf, latentOf } from "./latent.js";

/**
 * @typedef {import("./draw_queue.js").Runner} Runner
 * @typedef {import("./engine.js").EngineFile} EngineFile
 * @typedef {import("./engine_files.js").EngineFiles} EngineFiles
 * @typedef {import("./latent.js").Slider} Slider
 */

const WORKER_URL = new URL("./engine_worker.js", import.meta.url).href;

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

/**
 * Start worker threads. They load their script while the files of the model load.
 *
 * @returns {Worker[]}
 */
export function startWorkers() {
  const count = navigator.hardwareConcurrency >= CORES_FOR_TWO ? 2 : 1;
  const address = policy?.createScriptURL(WORKER_URL) ?? WORKER_URL;
  return Array.from({ length: count }, () => new Worker(address, { type: "module" }));
}

/**
 * Give a model to worker threads. Returns a runner for each.
 *
 * @param {Worker[]} workers
 * @param {EngineFiles} files
 * @param {Slider[]} sliders
 * @returns {Runner[]}
 */
export function runnersOf(workers, files, sliders) {
  return workers.map((worker) => {
    worker.postMessage(files);
    return runnerOf(worker, files.file, sliders);
  });
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
