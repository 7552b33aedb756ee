// The runner of a draw queue that lets the server draw previews, for models that this browser cannot draw.

import { send } from "../shell/api.js";

/**
 * @typedef {import("./draw_queue.js").Runner} Runner
 * @typedef {import("./point.js").Point} Point
 */

/** Largest number of points of one request. */
export const MOST_POINTS = 64;
const LEAST_MILLISECONDS = 1000 / 15;

/**
 * Return a runner for a model. It sends at most 15 requests a second.
 *
 * @param {{name: string, resolution: number}} entry
 * @param {string} sliders the checksum of the model's sliders
 * @param {AbortSignal} signal ends a request in flight
 * @returns {Runner}
 */
export function previewRunner(entry, sliders, signal) {
  let last = -Infinity;
  return async (points) => {
    await pause(last + LEAST_MILLISECONDS - performance.now());
    last = performance.now();
    const columns = Math.ceil(Math.sqrt(points.length));
    const body = { model: entry.name, points: points.map((point) => pointJson(point, sliders)), columns };
    const response = await send("POST", "preview", { json: body, signal });
    const blob = await response.blob();
    if (points.length === 1) {
      return [await createImageBitmap(blob)];
    }
    return Promise.all(points.map((_, i) => cut(blob, i, columns, entry.resolution)));
  };
}

/**
 * @param {Point} point
 * @param {string} sliders
 */
function pointJson(point, sliders) {
  const hasShift = Object.keys(point.shift ?? {}).length > 0;
  return hasShift ? { ...point, sliders: sliders.slice(0, 8) } : point;
}

/**
 * @param {Blob} sheet
 * @param {number} i
 * @param {number} columns
 * @param {number} side
 */
function cut(sheet, i, columns, side) {
  return createImageBitmap(sheet, (i % columns) * side, Math.floor(i / columns) * side, side, side);
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}
