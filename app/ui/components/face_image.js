/** The element <face-image>: a small image that a model draws at a point, when the element is near the visible part. */

import { paintFrame } from "../live/live.js";

/** @typedef {import("../live/point.js").Point} Point */
/** @typedef {import("../live/live.js").LiveModel} LiveModel */

const RETRY_MS = 4000;

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) /** @type {FaceImage} */ (target).setNear(isIntersecting);
  },
  { rootMargin: "300px" },
);

/** An image at a point. Its properties are `model` and `point`. */
export class FaceImage extends HTMLElement {
  /** @type {LiveModel | null} */
  #model = null;
  /** @type {Point | null} */
  #point = null;
  #canvas = document.createElement("canvas");
  #isNear = false;
  #wanted = "";
  #drawn = "";
  /** @type {AbortController | null} */
  #drawing = null;

  set model(/** @type {LiveModel} */ model) {
    if (model !== this.#model) this.#drawn = "";
    this.#model = model;
    this.#update();
  }

  set point(/** @type {Point} */ point) {
    this.#point = point;
    this.#wanted = JSON.stringify(point);
    this.#update();
  }

  connectedCallback() {
    this.#canvas.ariaHidden = "true";
    this.append(this.#canvas);
    nearby.observe(this);
  }

  disconnectedCallback() {
    nearby.unobserve(this);
    this.setNear(false);
  }

  /** @param {boolean} isNear */
  setNear(isNear) {
    this.#isNear = isNear;
    this.#update();
  }

  #update() {
    this.#drawing?.abort();
    this.#drawing = null;
    if (this.#isNear && this.#model && this.#point && this.#wanted !== this.#drawn)
      void this.#draw(this.#model, this.#point);
  }

  /**
   * @param {LiveModel} model
   * @param {Point} point
   */
  async #draw(model, point) {
    const drawing = new AbortController();
    this.#drawing = drawing;
    const wanted = this.#wanted;
    await Promise.resolve(); // a template sets several properties one after the other
    if (drawing.signal.aborted) return;
    try {
      const image = await model.draw(point, { signal: drawing.signal });
      if (drawing.signal.aborted) return;
      paintFrame(this.#canvas, image);
      this.#drawn = wanted;
      this.dataset.state = "drawn";
    } catch {
      if (drawing.signal.aborted) return;
      this.dataset.state = "failed";
      window.setTimeout(() => this.#update(), RETRY_MS);
    }
  }
}

customElements.define("face-image", FaceImage);
