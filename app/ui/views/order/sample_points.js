/** The points of the first images of an order, for live samples. */

import { firstClasses } from "./order_state.js";

/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {import("./order_state.js").OrderState} OrderState */

/** First index of each split: worker/contracts/splits.py. */
const SPLIT_STARTS = { train: 0, validation: 2 ** 51, test: 2 ** 52 };

/**
 * Return the points of the first candidates of an order.
 * @param {OrderState} state
 * @param {string[]} classes of the model
 * @param {number} count
 * @returns {Point[]}
 */
export function samplePoints(state, classes, count) {
  const labels = firstClasses(state, classes, count);
  const first = (SPLIT_STARTS[/** @type {"train"} */ (state.split)] ?? 0) + state.start;
  return Array.from({ length: count }, (_, place) => {
    const own = latentOf(state, first + place);
    const name = classes[labels[place] ?? -1];
    if (state.around?.classes) return { ...own, classes: state.around.classes };
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
  // The image lies at sqrt(1 - spread^2) times the point, and spread times a latent of its own.
  const share = Math.sqrt(1 - spread ** 2);
  const scale = share * (around.truncation ?? 1);
  const shift = Object.entries(around.shift ?? {}).map(([name, value]) => [name, value * share]);
  return {
    at: [
      ...around.at.map(([s, i, weight]) => /** @type {[number, number, number]} */ ([s, i, weight * scale])),
      [seed, index, spread],
    ],
    shift: Object.fromEntries(shift),
  };
}
