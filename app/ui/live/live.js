// Live images of a model: drawn in this browser where it can, and by previews of the server otherwise.

import { getJson, send, url } from "../shell/api.js";
import { DrawQueue } from "./draw_queue.js";
import { fileOf, hasEngineFiles } from "./engine_files.js";
import { LocalEngine } from "./local_engine.js";
import { formatPoint } from "./point.js";
import { MOST_POINTS, previewRunner } from "./preview_runner.js";

/**
 * @typedef {import("./draw_queue.js").DrawOptions} DrawOptions
 * @typedef {import("./draw_queue.js").Frame} Frame
 * @typedef {import("./draw_queue.js").Runner} Runner
 * @typedef {import("./latent.js").Slider} Slider
 * @typedef {import("./point.js").Point} Point
 * @typedef {{sliders: Slider[], checksum: string}} NamedSliders
 * @typedef {{name: string, sha256: string, resolution: number, classes: string[], files: string[]}} ModelEntry
 */

const SLIDERS = "sliders.json";

/** Time for which a model waits for its weights, before the server draws its first images. */
const PATIENCE_MS = 500;
/** Pauses before a model without engine files is looked up again. */
const LOOK_AGAIN_MS = [2000, 6000];

/**
 * Open a model. The server draws it until its weights are here, if they need long. Rejects with Problem if the sliders
 * cannot be read.
 *
 * @param {ModelEntry} entry an entry of GET /models
 * @returns {Promise<LiveModel>}
 */
export async function openModel(entry) {
  const loading = hasEngineFiles(entry) ? new LocalEngine(entry) : undefined;
  try {
    const [named] = await Promise.all([loadSliders(entry), Promise.race([loading?.files, pause(PATIENCE_MS)])]);
    return new LiveModel(entry, named, loading);
  } catch (error) {
    loading?.close();
    throw error;
  }
}

/** An open model. */
export class LiveModel {
  #closing = new AbortController();
  /** @type {DrawQueue} */
  #queue;
  /** @type {LocalEngine | undefined} */
  #engine;

  /**
   * @param {ModelEntry} entry
   * @param {NamedSliders} named
   * @param {LocalEngine | undefined} engine undefined if only the server can draw the model
   */
  constructor(entry, { sliders, checksum }, engine) {
    this.entry = entry;
    /** Whether this browser draws the images. It begins to when the weights have come. */
    this.isLocal = false;
    this.sliders = sliders;
    /** The sha256 of sliders.json, of which the address of a shifted point has the first 8 digits. */
    this.sliderChecksum = checksum;
    this.#queue = new DrawQueue([this.#previewRunner()], MOST_POINTS);
    if (engine) {
      this.#use(engine);
    } else {
      void this.#lookForEngine();
    }
  }

  /** Length of z; 0 if it is unknown here. */
  get latentSize() {
    return this.#engine?.loaded?.file.latent_size ?? this.sliders[0]?.vector.length ?? 0;
  }

  /** @returns {Runner} */
  #previewRunner() {
    const draw = previewRunner(this.entry, this.sliderChecksum, this.#closing.signal);
    return async (points) => {
      try {
        return await draw(points);
      } catch (error) {
        await this.#engine?.files; // then the queue lets the engine draw these points
        throw error;
      }
    };
  }

  /** @param {LocalEngine} engine */
  #use(engine) {
    this.#engine = engine;
    if (engine.loaded) {
      this.#drawHere(engine);
    } else {
      void engine.files.then(() => this.#drawHere(engine));
    }
  }

  /** @param {LocalEngine} engine */
  #drawHere(engine) {
    if (engine.loaded && !this.#closing.signal.aborted) {
      this.#queue.replaceRunners(engine.runners(engine.loaded, this.sliders), 1);
      this.isLocal = true;
    }
  }

  /** A worker that has just started needs a moment until its models have engine files. */
  async #lookForEngine() {
    for (const milliseconds of LOOK_AGAIN_MS) {
      await pause(milliseconds);
      if (this.#closing.signal.aborted) {
        return;
      }
      const found = await getJson(`models/${encodeURIComponent(this.entry.name)}`).catch(() => undefined);
      if (found?.sha256 === this.entry.sha256 && hasEngineFiles(found) && !this.#closing.signal.aborted) {
        this.#use(new LocalEngine(found));
        return;
      }
    }
  }

  /**
   * Draw a live image. Rejects with an AbortError if a newer point of the group has replaced the point, or if the
   * signal, `dropGroup` or `close` has ended the draw.
   *
   * @param {Point} point
   * @param {DrawOptions} [options]
   * @returns {Promise<Frame>}
   */
  draw(point, options) {
    return this.#queue.add(point, options);
  }

  /**
   * End all draws of a group.
   *
   * @param {string} group
   */
  dropGroup(group) {
    this.#queue.dropGroup(group);
  }

  /**
   * Return the address of the exact image of a point, whose bytes are always the same.
   *
   * @param {Point} point
   * @param {string} [format] png, webp or jpg
   * @returns {string}
   */
  exactUrl(point, format) {
    return url(this.#exactPath(point, format));
  }

  /**
   * Return the exact PNG of a point. Rejects with Problem.
   *
   * @param {Point} point
   * @param {AbortSignal} [signal]
   * @returns {Promise<Blob>}
   */
  async fetchExact(point, signal) {
    const response = await send("GET", this.#exactPath(point), { signal });
    return response.blob();
  }

  /** End all draws, requests and worker threads. */
  close() {
    this.#queue.close();
    this.#closing.abort();
    this.#engine?.close();
  }

  /**
   * @param {Point} point
   * @param {string} [format]
   */
  #exactPath(point, format = "png") {
    return `images/${encodeURIComponent(this.entry.name)}/at.${format}?${formatPoint(point, this.sliderChecksum)}`;
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
 * @param {ModelEntry} entry
 * @returns {Promise<NamedSliders>}
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

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
