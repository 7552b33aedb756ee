// The gallery of one job: the grid, its controls, and the images that the user throws out.

import { render } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { models } from "../../shell/model_list.js";
import { hashOf } from "../../shell/router.js";
import { showProblem } from "../jobs/job_actions.js";
import { firstIndex } from "../jobs/job_text.js";
import { GalleryAddress } from "./gallery_address.js";
import { frame } from "./gallery_frame.js";
import { handleKeys } from "./grid_keys.js";
import { ImageGrid } from "./image_grid.js";
import { ImageList, imageWords } from "./image_list.js";
import { openLargeView } from "./large_view.js";
import { Picks } from "./picks.js";
import { SheetLoader } from "./sheet_loader.js";
import { toolbar } from "./toolbar.js";

/** @import { Job } from "../jobs/job_text.js" */
/** @import { Filter } from "./image_list.js" */

/** Shortest time between two reads of the order while the job runs. */
const ORDER_MS = 1500;

export class Gallery {
  /**
   * @param {Job} job
   * @param {HTMLElement} place
   * @param {import("../../shell/view.js").ViewContext} context
   */
  constructor(job, place, context) {
    this.job = job;
    this.context = context;
    this.address = new GalleryAddress(context.route.query, context.setQuery);
    this.ending = new AbortController();
    /** @type {string[]} classes of the model */
    this.classes = [];
    this.isReplacing = false;
    this.orderTimer = 0;
    this.turn = 0;
    /** @type {() => void} */
    this.closeLarge = () => {};
    render(frame(), place);
    this.tools = /** @type {HTMLElement} */ (place.querySelector(".gallery-tools"));
    const scroller = /** @type {HTMLElement} */ (place.querySelector(".image-grid"));
    this.picks = new Picks(job.id, () => this.#redraw(), showProblem);
    this.grid = new ImageGrid(scroller, {
      isExcluded: (index) => this.picks.has(index),
      label: (index) => this.#label(index),
      onSettled: () => this.#rememberPlace(),
      onMove: () => this.#onMove(),
    });
    handleKeys(this.grid, {
      exclude: (positions, isExcluded) => this.#exclude(positions, isExcluded),
      open: (position) => this.#open(position),
      undo: () => this.picks.undo(),
    });
    this.grid.wantedSize = this.address.size;
    void this.#readClasses();
    void this.picks.load(this.ending.signal).catch(() => {}); // without them, nothing is thrown out yet
    void this.#showList();
  }

  stop() {
    this.ending.abort();
    clearTimeout(this.orderTimer);
    void this.picks.save();
    this.closeLarge();
    this.grid.stop();
  }

  /**
   * Show the new state of the job. Nothing that is visible moves.
   * @param {Job} job
   */
  update(job) {
    const before = this.job;
    this.job = job;
    const { list } = this.grid;
    if (list && list.job !== job) {
      list.job = job;
      const hasMore = before.images_committed !== job.images_committed || before.done !== job.done;
      if (list.isPlain && hasMore) {
        this.grid.grow();
      } else if (hasMore && !this.orderTimer) {
        this.orderTimer = setTimeout(() => void this.#readOrder(), job.done ? 0 : ORDER_MS);
      }
    }
    this.#drawTools();
  }

  /**
   * Follow an address that the user has typed.
   * @param {URLSearchParams} query
   */
  follow(query) {
    this.address.query = new URLSearchParams(query);
    this.grid.wantedSize = this.address.size;
    void this.#showList();
  }

  async #showList() {
    const mine = ++this.turn;
    const list = new ImageList(this.job, this.address.filter);
    this.#drawTools();
    try {
      await this.picks.save();
      await list.load(this.ending.signal);
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") {
        return;
      }
      if (!this.job.done) {
        this.orderTimer ||= setTimeout(() => void this.#readOrder(), ORDER_MS);
      } else {
        showProblem(error);
      }
    }
    if (mine === this.turn && !this.ending.signal.aborted) {
      const index = this.address.index ?? firstIndex(this.job);
      this.grid.show(list, new SheetLoader(list, (k) => this.grid.redrawSheet(k)), list.positionOf(index));
      this.#drawTools();
    }
  }

  async #readOrder() {
    this.orderTimer = 0;
    const { list } = this.grid;
    try {
      await list?.load(this.ending.signal);
      this.grid.grow();
    } catch {
      if (!this.ending.signal.aborted && !this.job.done) {
        this.orderTimer = setTimeout(() => void this.#readOrder(), ORDER_MS);
      }
    }
  }

  async #readClasses() {
    const found = await models().catch(() => []);
    this.classes = found.find((model) => model.name === this.job.model)?.classes ?? [];
    this.#redraw();
  }

  #drawTools() {
    render(
      toolbar({
        job: this.job,
        classes: this.classes,
        size: this.grid.wantedSize,
        filter: this.address.filter,
        picks: this.picks,
        isReplacing: this.isReplacing,
        onSize: (size) => this.#resize(size),
        onGoTo: (index) => this.#goTo(index),
        onFilter: (filter) => this.#setFilter(filter),
        onUndo: () => this.picks.undo(),
        onReplace: () => void this.#replace(),
      }),
      this.tools,
    );
  }

  /** @param {number} size */
  #resize(size) {
    this.address.size = size;
    this.grid.resize(size);
    this.#drawTools();
  }

  /** @param {number} index */
  #goTo(index) {
    if (this.grid.list) {
      this.grid.moveTo(this.grid.list.positionOf(index));
      this.grid.scroller.focus();
    }
  }

  /** @param {Partial<Filter>} filter */
  #setFilter(filter) {
    this.address.filter = { ...this.address.filter, ...filter };
    void this.#showList();
  }

  #rememberPlace() {
    const index = this.grid.list?.indexAt(this.grid.top);
    if (index !== null && index !== undefined) {
      this.address.index = index === firstIndex(this.job) ? null : index;
    }
  }

  #onMove() {
    this.context.announce(this.#label(this.grid.list?.indexAt(this.grid.active) ?? null));
  }

  #redraw() {
    this.#drawTools();
    this.grid.redraw();
  }

  /** @param {number | null} index */
  #label(index) {
    return imageWords(this.job, this.classes, index, this.picks.has(index));
  }

  /**
   * @param {number[]} positions
   * @param {boolean} [isExcluded] without it, each image changes
   */
  #exclude(positions, isExcluded) {
    const indices = positions.map((each) => this.grid.list?.indexAt(each) ?? null).filter((each) => each !== null);
    const first = indices[0];
    if (first !== undefined) {
      this.picks.set(indices, isExcluded ?? !this.picks.has(first));
      this.context.announce(indices.length === 1 ? this.#label(first) : `${indices.length} images thrown out`);
    }
  }

  /** @param {number} position */
  #open(position) {
    const { grid } = this;
    if (position >= (grid.list?.available ?? 0)) {
      return;
    }
    this.closeLarge = openLargeView(this.job, {
      position: () => grid.active,
      indexAt: (each) => (each >= 0 && each < (grid.list?.available ?? 0) ? (grid.list?.indexAt(each) ?? null) : null),
      moveTo: (each) => grid.moveTo(each),
      isExcluded: (index) => this.picks.has(index),
      toggle: (each) => this.#exclude([each]),
    });
  }

  async #replace() {
    if (this.isReplacing) return;
    this.isReplacing = true;
    this.#drawTools();
    try {
      const job = await this.picks.replace(this.job);
      this.context.announce(`A new job replaces ${countText(this.picks.excluded.size)} images.`);
      const { index } = this.address;
      location.hash = hashOf(["job", job.id], index === null ? {} : { i: String(index) });
    } catch (error) {
      showProblem(error);
    }
    this.isReplacing = false;
    this.#drawTools();
  }
}
