/** The element <face-image>: a small image that a model draws at a point, when the element is near the visible part. */

/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {import("../../live/live.js").LiveModel} LiveModel */

/**
 * Copy an image to a canvas of its size.
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap | ImageData} image
 */
export function paint(canvas, image) {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  const surface = canvas.getContext("2d");
  if (image instanceof ImageData) surface?.putImageData(image, 0, 0);
  else {
    surface?.drawImage(image, 0, 0);
    image.close();
  }
}

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) /** @type {FaceImage} */ (target).setNear(isIntersecting);
  },
  { rootMargin: "300px" },
);

/** An image at a point. Properties: `model`, `point` and `group`, the name of its draws in the engine's queue. */
export class FaceImage extends HTMLElement {
  /** @type {LiveModel | null} */
  #model = null;
  /** @type {Point | null} */
  #point = null;
  group = "faces";
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
    if (this.#isNear && this.#model && this.#point && this.#wanted !== this.#drawn) void this.#draw(this.#model, this.#point);
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
      const image = await model.draw(point, { group: this.group, isUrgent: false, signal: drawing.signal });
      if (drawing.signal.aborted) return;
      paint(this.#canvas, image);
      this.#drawn = wanted;
      this.dataset.state = "drawn";
    } catch {
      if (!drawing.signal.aborted) this.dataset.state = "failed";
    }
  }
}

customElements.define("face-image", FaceImage);
