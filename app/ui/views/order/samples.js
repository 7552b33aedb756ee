/** Live samples of an order: the first images, drawn as the order changes. */

import "../../components/face_image.js";
import { openModel } from "../../live/live.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { canSelect } from "./order_state.js";
import { samplePoints } from "./sample_points.js";

/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./order_state.js").OrderState} OrderState */

const SAMPLES = 16;

export class Samples {
  /** @type {LiveModel | null} */
  #live = null;
  #wanted = "";
  #failed = "";
  #isClosed = false;

  /** @param {() => void} onReady */
  constructor(onReady) {
    this.onReady = onReady;
  }

  /**
   * Open the model of an order.
   * @param {Model} model
   */
  show(model) {
    if (model.sha256 !== this.#wanted) {
      this.#wanted = model.sha256;
      void this.#open(model);
    }
  }

  /** @param {Model} model */
  async #open(model) {
    this.#live?.close();
    this.#live = null;
    this.#failed = "";
    try {
      const live = await openModel(model);
      if (this.#isClosed || this.#wanted !== model.sha256) {
        live.close();
        return;
      }
      this.#live = live;
    } catch (error) {
      this.#failed = error instanceof Error ? error.message : String(error);
    }
    if (!this.#isClosed) this.onReady();
  }

  close() {
    this.#isClosed = true;
    this.#live?.close();
  }

  /** @param {OrderState} state */
  heading(state) {
    if (state.walk) return "Frames of the walk";
    const selects = canSelect(state) && (state.keep < 1 || state.dropsCopies || state.distinct !== null);
    return selects ? "First images to choose from" : "First images";
  }

  /** @param {OrderState} state */
  template(state) {
    const live = this.#live;
    if (this.#failed) return html`<p class="hint">No samples: ${this.#failed}</p>`;
    const points = live ? samplePoints(state, live.entry.classes, SAMPLES) : [];
    return html`<div class="samples" role="img" aria-label=${`The first ${SAMPLES} images of this order`}>
        ${
          live
            ? points.map((point) => html`<face-image .model=${live} .point=${point}></face-image>`)
            : Array.from({ length: SAMPLES }, () => html`<span class="face-place"></span>`)
        }
      </div>
      ${state.style ? html`<p class="hint">These are the images before the style. See four in the style under <a href=${`#/styles?style=${state.style}`}>Styles</a>.</p>` : nothing}
      ${
        canSelect(state) && state.keep < 1
          ? html`<p class="hint">
              The quality gate keeps the best ${Math.round(state.keep * 1000) / 10} % of such images.
            </p>`
          : nothing
      }`;
  }
}
