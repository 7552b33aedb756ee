/** The classes of a model: images of each, how many it learnt from, and how many look real. */

import { hashOf } from "../../shell/router.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { percent } from "./words.js";

/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */

const IMAGES_OF_CLASS = 4;

/**
 * @param {Model} model
 * @param {LiveModel | null} live
 */
export function classTable(model, live) {
  if (model.classes.length === 0) {
    return nothing;
  }
  const most = Math.max(...Object.values(model.training_images ?? { none: 1 }));
  return html`<section class="stack" aria-labelledby="classes-heading">
    <h3 id="classes-heading">Classes</h3>
    <div class="table-frame" tabindex="0" role="region" aria-label="Table of the classes">
      <table class="classes">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Images</th>
            <th scope="col">Training images</th>
            <th scope="col">Look real</th>
          </tr>
        </thead>
        <tbody>
          ${model.classes.map((name) => classRow(model, live, name, most))}
        </tbody>
      </table>
    </div>
  </section>`;
}

/**
 * @param {Model} model
 * @param {LiveModel | null} live
 * @param {string} name
 * @param {number} most training images of the largest class
 */
function classRow(model, live, name, most) {
  const learnt = model.training_images?.[name];
  const looksReal = model.class_yields?.[name];
  const points = Array.from({ length: IMAGES_OF_CLASS }, (_, index) => ({
    at: [[1, index, 1]],
    classes: { [name]: 1 },
  }));
  return html`<tr>
    <th scope="row"><a href=${hashOf(["order"], { model: model.name, class: name })}>${name}</a></th>
    <td>
      <div class="class-images" role="img" aria-label=${`${IMAGES_OF_CLASS} images of ${name}`}>
        ${points.map((point) =>
          live ? html`<face-image .model=${live} .point=${point}></face-image>` : html`<span class="place"></span>`,
        )}
      </div>
    </td>
    <td>${learnt === undefined ? "–" : bar(learnt / most, countText(learnt))}</td>
    <td>${looksReal === undefined ? "–" : bar(looksReal, percent(looksReal))}</td>
  </tr>`;
}

/**
 * Return a bar with its value as text.
 * @param {number} share length of the bar, from 0 to 1
 * @param {string} text
 */
export function bar(share, text) {
  return html`<div class="bar">
    <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="8" />
      <rect class="filled" width=${100 * share} height="8" />
    </svg>
    <span>${text}</span>
  </div>`;
}
