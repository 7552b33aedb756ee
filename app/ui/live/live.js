// Live images of a model: drawn in this browser where it can, and by previews of the server otherwise.

import { getJson, send, url } from "../shell/api.js";
import { DrawQueue } from "./draw_queue.js";
import { compileEngine, startWorkers } from "./local_runners.js";
import { formatPoint } from "./point.js";
import { MOST_POINTS, previewRunner } from "./preview_runner.js";

/**
 * @typedef {import("./draw_queue.js").DrawOptions} DrawOptions
 * @typedef {import("./draw_queue.js").Frame} Frame
 * @typedef {import("./engine.js").EngineFile} EngineFile
 * @typedef {import("./latent.js").Slider} Slider
 * @typedef {import("./point.js").Point} Point
 * @typedef {{name: string, sha256: string, resolution: number, classes: string[], files: string[]}} ModelEntry
 * @typedef {{
 *   entry: ModelEntry,
 *   isLocal: boolean,
 *   sliders: Omit<Slider, "vector">[],
 *   sliderChecksum: string,
 *   draw(point: Point, options?: DrawOptions): Promise<Frame>,
 *   dropGroup(group: string): void,
 *   exactUrl(point: Point, format?: string): string,
 *   fetchExact(point: Point, signal?: AbortSignal): Promise<Blob>,
 *   close(): void,
 * }} LiveModel
 */

const ENGINE = "engine-1.json";
const WEIGHTS = "weights-1.bin";
const SLIDERS = "sliders.json";

/**
 * Open a model.
 *
 * `draw` rejects with an AbortError if a newer point of the group has replaced the point. `fetchExact` returns the
 * PNG of a point, whose bytes are always the same.
 *
 * @param {ModelEntry} entry an entry of GET /models
 * @returns {Promise<LiveModel>}
 */
export async function openModel(entry) {
  const closing = new AbortController();
  const [local, { sliders, checksum }] = await Promise.all([loadEngine(entry), loadSliders(entry)]);
  const workers = local && startWorkers(local.module, local.file, local.weights, sliders);
  const runners = workers?.runners ?? [previewRunner(entry, checksum, closing.signal)];
  const queue = new DrawQueue(runners, workers ? 1 : MOST_POINTS);
  const exactPath = (/** @type {Point} */ point, format = "png") =>
    `images/${encodeURIComponent(entry.name)}/at.${format}?${formatPoint(point, checksum)}`;
  return {
    entry,
    isLocal: workers !== undefined,
    sliders,
    sliderChecksum: checksum,
    draw: (point, options) => queue.add(point, options),
    dropGroup: (group) => queue.dropGroup(group),
    exactUrl: (point, format) => url(exactPath(point, format)),
    async fetchExact(point, signal) {
      const response = await send("GET", exactPath(point), { signal });
      return response.blob();
    },
    close() {
      queue.close();
      closing.abort();
      workers?.close();
    },
  };
}

/**
 * Start to load the files of a model, so that `openModel` finds them in the browser's cache.
 *
 * @param {ModelEntry} entry
 */
export function preloadModel(entry) {
  compileEngine().catch(() => {});
  for (const name of [ENGINE, WEIGHTS]) {
    if (entry.files.includes(name)) {
      fetch(url(fileOf(entry, name))).catch(() => {});
    }
  }
}

/**
 * Paint a frame into a canvas of its own size.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Frame} frame
 */
export function paintFrame(canvas, frame) {
  if (canvas.width !== frame.width) {
    canvas.width = frame.width;
  }
  if (canvas.height !== frame.height) {
    canvas.height = frame.height;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (frame instanceof ImageData) {
    context.putImageData(frame, 0, 0);
  } else {
    context.drawImage(frame, 0, 0);
  }
}

/**
 * Load the engine and the weights; undefined if the browser cannot run it, or if the service has no files
 * for it, because the model is too large or its weights are private.
 *
 * @param {ModelEntry} entry
 * @returns {Promise<{module: WebAssembly.Module, file: EngineFile, weights: ArrayBuffer} | undefined>}
 */
async function loadEngine(entry) {
  if (!entry.files.includes(ENGINE) || !entry.files.includes(WEIGHTS)) {
    return undefined;
  }
  const module = compileEngine().catch(() => undefined);
  const weights = fetch(url(fileOf(entry, WEIGHTS))).then((response) => response.arrayBuffer());
  const [compiled, file, bytes] = await Promise.all([module, getJson(fileOf(entry, ENGINE)), weights]);
  return compiled && { module: compiled, file, weights: bytes };
}

/**
 * @param {ModelEntry} entry
 * @returns {Promise<{sliders: Slider[], checksum: string}>}
 */
async function loadSliders(entry) {
  if (!entry.files.includes(SLIDERS)) {
    return { sliders: [], checksum: "" };
  }
  const response = await send("GET", fileOf(entry, SLIDERS));
  // The ETag is the sha256 of the file. A browser computes no checksum outside a secure context.
  const checksum = /[0-9a-f]{64}/.exec(response.headers.get("ETag") ?? "")?.[0] ?? "";
  return { sliders: (await response.json()).sliders, checksum };
}

/**
 * @param {ModelEntry} entry
 * @param {string} name
 */
function fileOf(entry, name) {
  return `models/${entry.sha256}/${name}`;
}
