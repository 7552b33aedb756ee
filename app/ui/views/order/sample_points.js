/** The points of the first images of an order, for live samples. */

import { firstClasses } from "./order_state.js";
import { framePoints } from "./walk.js";

/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {import("./order_state.js").OrderState} OrderState */

/** First index of each split: worker/contracts/splits.py. */
const SPLIT_STARTS = { train: 0, validation: 2 ** 51, test: 2 ** 52 };

/**
 * Return the points of the first candidates of an order, or of frames that are spread over its walk.
 * @param {OrderState} state
 * @param {string[]} classes of the model
 * @param {number} count
 * @returns {Point[]}
 */
export function samplePoints(state, classes, count) {
  if (state.walk) {
    const shown = Math.min(count, state.n);
    const frames = Array.from({ length: shown }, (_, place) => Math.floor((place * state.n) / shown));
    frames[shown - 1] = state.n - 1;
    return framePoints(state.walk, state.n, frames, classes);
  }
  const labels = firstClasses(state, classes, count);
  const first = (SPLIT_STARTS[/** @type {"train"} */ (state.split)] ?? 0) + state.start;
  return Array.from({ length: count }, (_, place) => {
    const own = latentOf(state, first + place);
    const name = classes[labels[place] ?? -1];
    return name === undefined ? own : { ...own, classes: { [name]: 1 } };
  });
}

/**
 * @param {OrderState} state
 * @param {number} index
 * @returns {Point}
 */
function latentOf({ around, spread, seed, truncation }, index) {
  if (!around) return { at: [[seed, index, 1]], truncation };
  // docs/points.md: the point's latents times sqrt(1 - spread^2), and then the image's own one times the spread.
  const share = Math.sqrt(1 - spread ** 2);
  const own = /** @type {[number, number, number]} */ ([seed, index, spread]);
  const shares = around.at.map(
    ([s, i, weight]) => /** @type {[number, number, number]} */ ([s, i, Number((weight * share).toFixed(6))]),
  );
  return { ...around, at: [...shares.filter(([, , weight]) => weight !== 0), own] };
}
