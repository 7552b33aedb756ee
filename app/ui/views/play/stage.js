/** The large image: follows the sliders, and shows the exact bytes of the service when the sliders rest. */

import { paintFrame } from "../../live/live.js";

/** @typedef {import("../../live/live.js").Frame} Frame */
/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {{kind: "live" | "exact" | "waiting" | "failed", reason: string}} Mark */

const RETRY_MS = 4000;

/** Draws the newest point only. An older point is skipped, so that a fast slider never fills a queue. */
export class Stage {
  /** The exact image, as soon as it is shown.
   * @type {Blob | null} */
  exact = null;
  #canvas = document.createElement("canvas");
  #overlay = document.createElement("img");
  /** @type {Point | null} */
  #newest = null;
  #isDrawing = false;
  #overlayUrl = "";
  /** @type {AbortController | null} */
  #fetching = null;
  #retry = 0;

  /**
   * @param {HTMLElement} container an empty element
   * @param {HTMLElement | null} first the image to show until the first one is drawn
   * @param {LiveModel} model
   * @param {(mark: Mark) => void} onMark called when the image changes between live and exact
   */
  constructor(container, first, model, onMark) {
    this.model = model;
    this.onMark = onMark;
    this.#canvas.ariaHidden = "true";
    this.#overlay.hidden = true;
    this.first = first;
    container.replaceChildren(...(first ? [first] : []), this.#canvas, this.#overlay);
  }

  /** The canvas of the live image, for recordings. */
  get canvas() {
    return this.#canvas;
  }

  /**
   * Show a point as soon as it is drawn.
   * @param {Point} point
   */
  show(point) {
    this.#newest = point;
    this.#cancelExact();
    if (!this.#isDrawing) void this.#drawNewest();
  }

  /** @param {string} text alternative text of the image */
  describe(text) {
    this.#overlay.alt = text;
  }

  async #drawNewest() {
    this.#isDrawing = true;
    /** @type {Point | null} */
    let drawn = null;
    while (this.#newest && this.#newest !== drawn) {
      /** @type {Point} */
      const point = this.#newest;
      try {
        const image = await this.model.draw(point, { group: "stage", isUrgent: true });
        if (!this.exact) this.#paintLive(image);
      } catch (error) {
        if (!this.exact && point === this.#newest) this.onMark({ kind: "failed", reason: messageOf(error) });
      }
      drawn = point;
    }
    this.#isDrawing = false;
  }

  /** @param {Frame} image */
  #paintLive(image) {
    paintFrame(this.#canvas, image);
    this.first?.remove();
    if (!this.#overlay.hidden) this.#overlay.hidden = true;
    this.onMark({ kind: "live", reason: "" });
  }

  /**
   * Fetch the exact image of the newest point, and lay it over the live one. On failure, try again every few seconds.
   * @returns {Promise<void>}
   */
  async showExact() {
    const point = this.#newest;
    if (!point || this.exact) return;
    this.#cancelExact();
    const fetching = new AbortController();
    this.#fetching = fetching;
    try {
      const blob = await this.model.fetchExact(point, fetching.signal);
      if (fetching.signal.aborted) return;
      await this.#layOver(blob, fetching.signal);
    } catch (error) {
      if (fetching.signal.aborted) return;
      const isFinal = /** @type {{retryable?: boolean}} */ (error).retryable === false;
      this.onMark({ kind: isFinal ? "failed" : "waiting", reason: messageOf(error) });
      if (!isFinal) this.#retry = window.setTimeout(() => void this.showExact(), RETRY_MS);
    }
  }

  /**
   * @param {Blob} blob
   * @param {AbortSignal} signal
   */
  async #layOver(blob, signal) {
    const former = this.#overlayUrl;
    this.#overlayUrl = URL.createObjectURL(blob);
    this.#overlay.src = this.#overlayUrl;
    await this.#overlay.decode();
    if (former) URL.revokeObjectURL(former);
    if (signal.aborted) return;
    this.#overlay.hidden = false;
    this.first?.remove();
    this.exact = blob;
    this.onMark({ kind: "exact", reason: "" });
  }

  #cancelExact() {
    this.#fetching?.abort();
    window.clearTimeout(this.#retry);
    this.exact = null;
  }

  /** Stop all work, and free the image. */
  close() {
    this.#newest = null;
    this.#cancelExact();
    if (this.#overlayUrl) URL.revokeObjectURL(this.#overlayUrl);
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
