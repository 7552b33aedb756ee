// Live images of a model: a row for each class, and a strip for each slider. Each image opens in Play.

import "../play/face_image.js";
import { formatPoint } from "../../live/point.js";
import { html } from "../../vendor/lit-html.js";

/** @import { LiveModel } from "../../live/live.js" */
/** @import { Point } from "../../live/point.js" */

const COLUMNS = 8;
const SIGMAS = [-3, -1.5, 0, 1.5, 3];
/** Rows of a model without classes. */
const ROWS = 3;

/**
 * Return images of the model, class by class. They are not selected.
 * @param {LiveModel} live
 */
export function livingGrid(live) {
  const { classes } = live.entry;
  const names = classes.length ? classes : Array.from({ length: ROWS }, () => "");
  return html`<div class="living">
    ${names.map(
      (name, row) =>
        html`<div class="living-row">
          ${name ? html`<h3 class="hint">${name}</h3>` : ""}
          <div class="faces">
            ${Array.from({ length: COLUMNS }, (_, column) => {
              const index = column * names.length + row;
              const point = /** @type {Point} */ ({ at: [[0, index, 1]], ...(name && { classes: { [name]: 1 } }) });
              return face(live, point, `Image ${index}${name ? `, ${name}` : ""}`);
            })}
          </div>
        </div>`,
    )}
  </div>`;
}

/**
 * Return the sliders of a model, each with images along it.
 * @param {LiveModel} live
 */
export function sliderStrips(live) {
  return html`<div class="strips">
    ${live.sliders.map(
      (named) =>
        html`<section class="strip-row" aria-label=${named.name}>
          <div class="row spread">
            <h4>${named.name}</h4>
            <span class="hint">R² ${named.r2.toFixed(2)}</span>
          </div>
          <div class="faces five">
            ${SIGMAS.filter((sigmas) => sigmas >= named.low && sigmas <= named.high).map((sigmas) => {
              const shift = sigmas === 0 ? undefined : { [named.name]: sigmas };
              return face(live, { at: [[1, 0, 1]], shift }, `${named.name} ${sigmas}`);
            })}
          </div>
        </section>`,
    )}
  </div>`;
}

/**
 * @param {LiveModel} live
 * @param {Point} point
 * @param {string} label
 */
function face(live, point, label) {
  const address = `#/play/${encodeURIComponent(live.entry.name)}?${formatPoint(point, live.sliderChecksum)}`;
  return html`<a class="face" href=${address} aria-label=${`Play with ${label}`}>
    <face-image .model=${live} .point=${point}></face-image>
  </a>`;
}
