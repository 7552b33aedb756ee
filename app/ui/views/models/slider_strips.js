/** The sliders of a model, each as five images from one end to the other. */

import { hashOf } from "../../shell/router.js";
import { html, nothing } from "../../vendor/lit-html.js";

/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */

const PLACES = [0, 0.25, 0.5, 0.75, 1];
const INDEX = 0;
const SEED = 1;

/**
 * @param {Model} model
 * @param {LiveModel | null} live
 */
export function sliderStrips(model, live) {
  if (!live || live.sliders.length === 0) {
    return live && !model.files.includes("sliders.json")
      ? html`<section class="stack" aria-labelledby="sliders-heading">
          <h3 id="sliders-heading">Sliders</h3>
          <p class="dim">This model has no sliders yet. <code>imagemill sliders CHECKPOINT</code> computes them.</p>
        </section>`
      : nothing;
  }
  return html`<section class="stack" aria-labelledby="sliders-heading">
    <h3 id="sliders-heading">Sliders</h3>
    <p>Each strip moves one image along one slider. R² says how well the slider predicts what it is named after.</p>
    <div class="strips">${live.sliders.map((slider) => strip(model, live, slider))}</div>
  </section>`;
}

/**
 * @param {Model} model
 * @param {LiveModel} live
 * @param {LiveModel["sliders"][number]} slider
 */
function strip(model, live, { name, r2, low, high }) {
  const points = PLACES.map((place) => ({
    at: [[SEED, INDEX, 1]],
    shift: { [name]: low + place * (high - low) },
  }));
  return html`<figure class="strip">
    <div class="strip-images" role="img" aria-label=${`${name}, from ${low} to ${high}`}>
      ${points.map((point) => html`<face-image .model=${live} .point=${point}></face-image>`)}
    </div>
    <figcaption>
      <a href=${hashOf(["play", model.name], { at: `${SEED}:${INDEX}` })}>${name}</a>
      <span class="dim">R² ${r2.toFixed(2)}</span>
    </figcaption>
  </figure>`;
}
