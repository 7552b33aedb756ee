// Loads sheets of thumbnails: those that are visible, the nearest first, three at a time.

import { Problem, send } from "../../shell/api.js";

/** @import { ImageList } from "./image_list.js" */

const SHEET_WIDTH = 1024;
const LARGE_FROM = 128;
const MOST_LOADING = 3;
const MOST_KEPT = 64;
const RETRY_MS = 1000;
/** A fast scroll passes many sheets. They are not worth a request, so loading begins when the place has settled. */
const SETTLE_MS = 60;

/**
 * @typedef {object} Sheet
 * @property {string} url a blob
 * @property {number} count number of thumbnails on it
 */

/**
 * The size of thumbnails of a job, and how many are in a row of a sheet.
 * @param {number} resolution
 */
export function sheetGrid(resolution) {
  const thumbnail = resolution < LARGE_FROM ? 64 : LARGE_FROM;
  const columns = SHEET_WIDTH / thumbnail;
  return { thumbnail, columns, images: columns * columns };
}

/** The sheets of one list of images. */
export class SheetLoader {
  /**
   * @param {ImageList} list
   * @param {(k: number) => void} onSheet is called when a sheet is new or has more thumbnails
   */
  constructor(list, onSheet) {
    this.list = list;
    this.onSheet = onSheet;
    this.grid = sheetGrid(list.job.resolution);
    /** @type {Map<number, Sheet>} the last used at the end */
    this.sheets = new Map();
    /** @type {Map<number, AbortController>} */
    this.loading = new Map();
    /** @type {number[]} sheets that are visible, the nearest first */
    this.wanted = [];
    /** @type {Set<number>} sheets that cannot be had */
    this.missing = new Set();
    this.timer = 0;
    this.isStopped = false;
  }

  /**
   * Return the sheet with the image at a position, if it is there.
   * @param {number} position
   */
  find(position) {
    const sheet = this.sheets.get(Math.floor(position / this.grid.images));
    return sheet && position % this.grid.images < sheet.count ? sheet : null;
  }

  /**
   * Set the range of positions that are visible.
   * @param {number} first
   * @param {number} last
   */
  want(first, last) {
    const begin = Math.floor(first / this.grid.images);
    const end = Math.floor(last / this.grid.images);
    const middle = (begin + end) / 2;
    this.wanted = Array.from({ length: end - begin + 1 }, (_, k) => begin + k);
    this.wanted.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    for (const k of this.wanted) {
      this.#touch(k);
    }
    if (this.wanted.some((k) => this.#lacks(k) > 0)) {
      this.#later(SETTLE_MS);
    }
  }

  /** Look again which sheets can be loaded: more images have come. */
  refresh() {
    this.#later(0);
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.loading.forEach((controller) => controller.abort());
    this.sheets.forEach((sheet) => URL.revokeObjectURL(sheet.url));
    this.sheets.clear();
  }

  /** @param {number} milliseconds */
  #later(milliseconds) {
    clearTimeout(this.timer);
    if (!this.isStopped) {
      this.timer = setTimeout(() => this.#start(), milliseconds);
    }
  }

  #start() {
    for (const [k, controller] of this.loading) {
      if (!this.wanted.includes(k)) {
        controller.abort();
      }
    }
    for (const k of this.wanted) {
      if (this.loading.size >= MOST_LOADING) {
        return;
      }
      if (!this.loading.has(k) && !this.missing.has(k) && this.#lacks(k) > 0) {
        void this.#load(k);
      }
    }
  }

  /**
   * Return how many images of a sheet exist and are not shown.
   * @param {number} k
   */
  #lacks(k) {
    return this.#existing(k) - (this.sheets.get(k)?.count ?? 0);
  }

  /** @param {number} k */
  #existing(k) {
    return Math.min(this.grid.images, Math.max(0, this.list.available - k * this.grid.images));
  }

  /** @param {number} k */
  async #load(k) {
    const controller = new AbortController();
    this.loading.set(k, controller);
    const count = this.#existing(k);
    const isPart = count < this.grid.images && !this.list.job.done;
    const query = this.list.query;
    if (isPart) {
      query["have"] = String(this.sheets.get(k)?.count ?? 0);
    }
    try {
      const options = { query, signal: controller.signal };
      const response = await send("GET", `jobs/${this.list.job.id}/sheets/${k}.jpg`, options);
      this.#keep(k, URL.createObjectURL(await response.blob()), count);
    } catch (error) {
      if (error instanceof Problem) {
        if (!error.retryable) {
          this.missing.add(k);
        }
        this.loading.delete(k);
        this.#later(RETRY_MS);
        return;
      }
    }
    this.loading.delete(k);
    if (!this.isStopped) {
      this.#start();
    }
  }

  /**
   * @param {number} k
   * @param {string} url
   * @param {number} count
   */
  #keep(k, url, count) {
    const before = this.sheets.get(k);
    if (this.isStopped) {
      URL.revokeObjectURL(url);
      return;
    }
    this.sheets.delete(k);
    this.sheets.set(k, { url, count });
    this.onSheet(k);
    if (before) {
      URL.revokeObjectURL(before.url);
    }
    for (const [oldest, sheet] of this.sheets) {
      if (this.sheets.size <= MOST_KEPT) {
        break;
      }
      URL.revokeObjectURL(sheet.url);
      this.sheets.delete(oldest);
    }
  }

  /** @param {number} k */
  #touch(k) {
    const sheet = this.sheets.get(k);
    if (sheet) {
      this.sheets.delete(k);
      this.sheets.set(k, sheet);
    }
  }
}
