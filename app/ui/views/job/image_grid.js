// A grid of many images that has elements for the visible ones only. Rows that scroll away are used again.

/** @import { ImageList } from "./image_list.js" */
/** @import { SheetLoader } from "./sheet_loader.js" */
/** @import { CellOptions, Row } from "./image_cells.js" */
import { createRow, fillCell, placeRow } from "./image_cells.js";
import { GAP, SPARE_ROWS, gridGeometry } from "./grid_geometry.js";
import { clamp } from "./image_list.js";

const SETTLED_MS = 150;

/**
 * @typedef {object} GridEvents
 * @property {() => void} onSettled is called when the user has scrolled somewhere
 * @property {() => void} onMove is called when another image is active
 */

/** @typedef {CellOptions & GridEvents} GridOptions */

export class ImageGrid {
  /**
   * @param {HTMLElement} scroller an element with the role grid
   * @param {GridOptions} options
   */
  constructor(scroller, options) {
    this.scroller = scroller;
    this.options = options;
    this.pad = document.createElement("div");
    this.pad.className = "grid-pad";
    this.pad.setAttribute("role", "presentation");
    scroller.replaceChildren(this.pad);
    /** @type {ImageList | null} */
    this.list = null;
    /** @type {SheetLoader | null} */
    this.loader = null;
    /** Side of an image in pixels. It fills the width, so it differs from the wanted one. */
    this.size = 96;
    this.wantedSize = 96;
    this.columns = 1;
    /** Position of the active image. */
    this.active = 0;
    /** @type {Map<number, Row>} */
    this.rows = new Map();
    /** @type {Row[]} */
    this.spare = [];
    this.isDue = false;
    this.settling = 0;
    scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.observer = new ResizeObserver(() => this.#onResize());
    this.observer.observe(scroller);
  }

  stop() {
    this.observer.disconnect();
    clearTimeout(this.settling);
    this.loader?.stop();
  }

  /**
   * Show other images. The image at a position comes to the top.
   * @param {ImageList} list
   * @param {SheetLoader} loader
   * @param {number} position
   */
  show(list, loader, position) {
    this.loader?.stop();
    this.list = list;
    this.loader = loader;
    this.active = clamp(position, 0, Math.max(0, list.length - 1));
    this.layOut(position);
  }

  /**
   * Set the size of the images, and keep the place.
   * @param {number} size
   */
  resize(size) {
    const top = this.top;
    this.wantedSize = size;
    this.layOut(top);
  }

  /** Position of the first image that is visible. */
  get top() {
    return Math.round(this.scroller.scrollTop / this.step) * this.columns;
  }

  /** Height of a row in pixels. */
  get step() {
    return this.size + GAP;
  }

  /**
   * Compute the grid again, with the image at a position at the top.
   * @param {number} top
   */
  layOut(top) {
    const { scroller } = this;
    const { columns, size } = gridGeometry(this.wantedSize, scroller.clientWidth, scroller.clientHeight);
    this.columns = columns;
    this.size = size;
    for (const row of [...this.rows.values(), ...this.spare]) {
      row.element.remove();
    }
    this.rows.clear();
    this.spare = [];
    this.#setHeight();
    scroller.scrollTop = Math.floor(top / this.columns) * this.step;
    this.draw();
  }

  /** Draw again after the list has grown. Nothing that is visible moves. */
  grow() {
    this.#setHeight();
    this.redraw();
    this.loader?.refresh();
  }

  /** Fill all visible cells again. */
  redraw() {
    for (const [number, row] of this.rows) {
      this.#fill(row, number);
    }
    this.#showActive();
  }

  /**
   * Fill the visible cells of a sheet.
   * @param {number} k
   */
  redrawSheet(k) {
    const images = this.loader?.grid.images ?? 1;
    const first = Math.floor((k * images) / this.columns);
    const last = Math.floor(((k + 1) * images - 1) / this.columns);
    for (const [number, row] of this.rows) {
      if (number >= first && number <= last) {
        this.#fill(row, number);
      }
    }
  }

  /** Create and fill the rows that are visible, and take those back that are not. */
  draw() {
    const { list, loader } = this;
    if (!list || !loader) {
      return;
    }
    const { scrollTop, clientHeight } = this.scroller;
    const count = Math.ceil(list.length / this.columns);
    const first = clamp(Math.floor(scrollTop / this.step) - SPARE_ROWS, 0, Math.max(0, count - 1));
    const last = Math.min(count - 1, Math.floor((scrollTop + clientHeight) / this.step) + SPARE_ROWS);
    for (const [number, row] of this.rows) {
      if (number < first || number > last) {
        this.rows.delete(number);
        this.spare.push(row);
      }
    }
    for (let number = first; number <= last; number++) {
      if (!this.rows.has(number)) {
        const row = this.spare.pop() ?? createRow(this.pad, this.columns, this.size);
        this.rows.set(number, row);
        placeRow(row, number, this.step);
        this.#fill(row, number);
      }
    }
    for (const row of this.spare) {
      row.element.hidden = true;
    }
    this.#showActive();
    if (last >= first) {
      loader.want(first * this.columns, Math.min(list.length, (last + 1) * this.columns) - 1);
    }
  }

  /**
   * Make an image active, and scroll so that it is visible.
   * @param {number} position
   */
  moveTo(position) {
    if (!this.list) {
      return;
    }
    this.active = clamp(position, 0, Math.max(0, this.list.length - 1));
    const top = Math.floor(this.active / this.columns) * this.step;
    const { scroller } = this;
    if (top < scroller.scrollTop) {
      scroller.scrollTop = top;
    } else if (top + this.step > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top + this.step + GAP - scroller.clientHeight;
    }
    this.draw();
    this.options.onMove();
  }

  /** Number of images of a page. */
  get pageSize() {
    return Math.max(1, Math.floor(this.scroller.clientHeight / this.step)) * this.columns;
  }

  /**
   * @param {Row} row
   * @param {number} number
   */
  #fill(row, number) {
    const { list, loader, options } = this;
    if (list && loader) {
      row.cells.forEach((cell, column) => {
        fillCell(cell, number * this.columns + column, { list, loader, options, size: this.size });
      });
    }
  }

  #setHeight() {
    const count = Math.ceil((this.list?.length ?? 0) / this.columns);
    this.pad.style.height = `${count * this.step + GAP}px`;
    this.scroller.setAttribute("aria-rowcount", String(count));
    this.scroller.setAttribute("aria-colcount", String(this.columns));
  }

  #showActive() {
    this.pad.querySelector(".active")?.classList.remove("active");
    const row = this.rows.get(Math.floor(this.active / this.columns));
    const cell = row?.cells[this.active % this.columns];
    if (cell && !cell.hidden) {
      cell.classList.add("active");
      this.scroller.setAttribute("aria-activedescendant", cell.id);
    } else {
      this.scroller.removeAttribute("aria-activedescendant");
    }
  }

  #onScroll() {
    if (!this.isDue) {
      this.isDue = true;
      requestAnimationFrame(() => {
        this.isDue = false;
        this.draw();
      });
    }
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.options.onSettled(), SETTLED_MS);
  }

  #onResize() {
    if (this.list) {
      this.layOut(this.top);
    }
  }
}
