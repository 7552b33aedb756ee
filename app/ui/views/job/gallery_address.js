// The state of the gallery in the address: which image is at the top, the size, and the filter.

import { clamp } from "./image_list.js";
import { MAX_SIZE, MIN_SIZE } from "./toolbar.js";

/** @import { Filter } from "./image_list.js" */

const SIZE = 96;

export class GalleryAddress {
  /**
   * @param {URLSearchParams} query
   * @param {(query: URLSearchParams) => void} setQuery
   */
  constructor(query, setQuery) {
    this.query = new URLSearchParams(query);
    this.setQuery = setQuery;
  }

  /** Side of an image in pixels. */
  get size() {
    return clamp(Number(this.query.get("size")) || SIZE, MIN_SIZE, MAX_SIZE);
  }

  set size(size) {
    this.#set({ size: size === SIZE ? "" : String(size) });
  }

  /** Index of the image at the top; null for the first one. */
  get index() {
    const text = this.query.get("i");
    return text === null || !/^\d{1,16}$/.test(text) ? null : Number(text);
  }

  set index(index) {
    this.#set({ i: index === null ? "" : String(index) });
  }

  /** @returns {Filter} */
  get filter() {
    const { query } = this;
    return {
      className: query.get("class") ?? "",
      sort: query.get("sort") ?? "index",
      show: query.get("show") ?? "all",
    };
  }

  set filter({ className, sort, show }) {
    this.#set({ class: className, sort: sort === "index" ? "" : sort, show: show === "all" ? "" : show });
  }

  /** @param {Record<string, string>} values empty ones are left out */
  #set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value) {
        this.query.set(name, value);
      } else {
        this.query.delete(name);
      }
    }
    this.setQuery(this.query);
  }
}
