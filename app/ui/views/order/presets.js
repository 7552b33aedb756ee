/** Presets of an order: points to start from. A preset only fills the form; it orders nothing. */

import { html } from "../../vendor/lit-html.js";
import { majority } from "./majority.js";
import { imagesOf } from "./order_state.js";

/** @typedef {import("./order_page.js").OrderPage} OrderPage */
/** @typedef {import("./order_state.js").OrderState} OrderState */
/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {{label: string, hint: string, isFor: (model: Model) => boolean, fill: (page: OrderPage) => Partial<OrderState>}} Preset */

const hasClasses = (/** @type {Model} */ { classes }) => classes.length > 1;

/** What each preset starts from: all images, without a rule. */
const PLAIN = /** @type {const} */ ({
  around: null,
  walk: null,
  truncation: 1,
  keep: 1,
  dropsCopies: false,
  distinct: null,
});

/** @type {Preset[]} */
const PRESETS = [
  {
    label: "500 balanced",
    hint: "As many of each class",
    isFor: () => true,
    fill: () => ({ ...PLAIN, division: "balanced", n: 500 }),
  },
  {
    label: "One class",
    hint: "All images of one class",
    isFor: hasClasses,
    fill: ({ state }) => ({ ...PLAIN, division: "one", n: Math.max(1, imagesOf(state)) }),
  },
  {
    label: "Two thirds of one class",
    hint: "300 images, 200 of them of one class",
    isFor: hasClasses,
    fill: ({ state, model }) => ({
      ...PLAIN,
      division: "counts",
      counts: majority(model.classes, state.classLabel, MAJORITY_IMAGES),
    }),
  },
  {
    label: "Best quarter",
    hint: "The best 25 % by the quality gate, no copies, no near-duplicates",
    isFor: ({ gate }) => Boolean(gate),
    fill: () => ({ ...PLAIN, keep: 0.25, dropsCopies: true, distinct: 3 }),
  },
];

/** Images of the preset with a majority. */
const MAJORITY_IMAGES = 300;

/** @param {OrderPage} page */
export function presetsSection(page) {
  return html`<div class="row presets" role="group" aria-label="Presets: they fill the form">
    <span class="dim">Start from</span>
    ${PRESETS.filter(({ isFor }) => isFor(page.model)).map(
      ({ label, hint, fill }) =>
        html`<button type="button" class="chip" title=${hint} @click=${() => page.change(fill(page))}>
          ${label}
        </button>`,
    )}
  </div>`;
}
