// A model that is drawn in this browser, by worker threads.

import { takeEngineFiles } from "./engine_files.js";
import { classWeightsOf, latentOf } from "./latent.js";

/**
 * @typedef {import("./draw_queue.js").Runner} Runner
 * @typedef {import("./engine.js").EngineFile} EngineFile
 * @typedef {import("./engine_files.js").EngineFiles} EngineFiles
 * @typedef {import("./engine_files.js").FileOwner} FileOwner
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

export class LocalEngine {
  /** @param {FileOwner} entry a model that has engine files */
  constructor(entry) {
    // Workers load their script while the files of the model load.
    this.workers = startWorkers();
    /** @type {EngineFiles | undefined} the files, once they are here; undefined as well if they cannot be used */
    this.loaded = undefined;
    /** @type {Promise<void>} settles when the files are here, or cannot be had */
    this.files = takeEngineFiles(entry).then(
      (files) => void (this.loaded = files),
      () => undefined,
    );
  }

  /**
   * Give a model to the workers. Returns a runner for each.
   *
   * @param {EngineFiles} files
   * @param {Slider[]} sliders
   * @returns {Runner[]}
   */
  runners(files, sliders) {
    return this.workers.map((worker) => {
      worker.postMessage(files);
      return runnerOf(worker, files.file, sliders);
    });
  }

  /** End the workers. */
  close() {
    this.workers.forEach((worker) => worker.terminate());
  }
}

function startWorkers() {
  const count = navigator.hardwareConcurrency >= CORES_FOR_TWO ? 2 : 1;
  const address = policy?.createScriptURL(WORKER_URL) ?? WORKER_URL;
  return Array.from({ length: count }, () => new Worker(address, { type: "module" }));
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
