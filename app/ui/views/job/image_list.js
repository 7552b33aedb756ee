// The images that the gallery shows, in their order: which image is at which position.

import { send } from "../../shell/api.js";
import { firstIndex, isSelection } from "../jobs/job_text.js";

/** @import { Job } from "../jobs/job_text.js" */

/**
 * @typedef {object} Filter
 * @property {string} className only images of this class; empty for all
 * @property {string} sort "index", "best" or "worst"
 * @property {string} show "all", "kept" or "excluded"
 */

/** The images of one job and one filter. */
export class ImageList {
  /**
   * @param {Job} job
   * @param {Filter} filter
   */
  constructor(job, filter) {
    this.job = job;
    this.filter = filter;
    /** Whether positions differ from indices only by the first index. */
    this.isPlain = !isSelection(job) && !filter.className && filter.sort === "index" && filter.show === "all";
    /** @type {Uint32Array | null} offsets from the first index */
    this.offsets = null;
    /** @type {Map<number, number> | null} */
    this.positions = null;
  }

  /** Number of places: also those of images that are not rendered yet, if it is known. */
  get length() {
    const isFiltered = this.filter.className || this.filter.show !== "all";
    return isFiltered ? (this.offsets?.length ?? 0) : this.job.n;
  }

  /** Number of images that can be read. They are the first ones. */
  get available() {
    const committed = this.job.images_committed ?? 0;
    return this.isPlain ? committed : (this.offsets?.length ?? 0);
  }

  /**
   * Return the index of the image at a position; null while it is unknown.
   * @param {number} position
   */
  indexAt(position) {
    if (this.isPlain) {
      return firstIndex(this.job) + position;
    }
    const offset = this.offsets?.[position];
    return offset === undefined ? null : firstIndex(this.job) + offset;
  }

  /**
   * Return the position of an image, or of the next one that is shown.
   * @param {number} index
   */
  positionOf(index) {
    const offset = index - firstIndex(this.job);
    if (this.isPlain || !this.offsets) {
      return clamp(offset, 0, Math.max(0, this.length - 1));
    }
    if (this.filter.sort !== "index") {
      this.positions ??= new Map(Array.from(this.offsets, (each, position) => [each, position]));
      return this.positions.get(offset) ?? 0;
    }
    return clamp(firstNotLess(this.offsets, offset), 0, Math.max(0, this.length - 1));
  }

  /**
   * Parameters of the requests for sheets and the order.
   * @returns {Record<string, string>}
   */
  get query() {
    const { className, sort, show } = this.filter;
    return {
      ...(className ? { class: className } : {}),
      ...(sort === "index" ? {} : { sort }),
      ...(show === "all" ? {} : { show }),
    };
  }

  /**
   * Read the order of the images, unless positions say it. Throws Problem.
   * @param {AbortSignal} signal
   */
  async load(signal) {
    if (this.isPlain) {
      return;
    }
    const response = await send("GET", `jobs/${this.job.id}/order`, { query: this.query, signal });
    const view = new DataView(await response.arrayBuffer());
    this.offsets = Uint32Array.from({ length: view.byteLength / 4 }, (_, k) => view.getUint32(4 * k, true));
    this.positions = null;
  }
}

/**
 * Return an image in words, for screen readers.
 * @param {Job} job
 * @param {string[]} classes classes of the model
 * @param {number | null} index null if the image is not rendered yet
 * @param {boolean} isExcluded
 */
export function imageWords(job, classes, index, isExcluded) {
  if (index === null) {
    return "An image that is not rendered yet";
  }
  // Without numbers of classes, they follow each other in the order of the indices.
  const name = job.class ?? (job.classes ? "" : (classes[index % classes.length] ?? ""));
  return `Image ${index}${name ? `, ${name}` : ""}${isExcluded ? ", thrown out" : ""}`;
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/**
 * @param {Uint32Array} ascending
 * @param {number} value
 */
function firstNotLess(ascending, value) {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
