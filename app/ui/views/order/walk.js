/** The walk of an order: its text, as in the parameter `between` of a request, and the points of its frames. */

import { parsePoint } from "../../live/point.js";
import { between } from "../play/mixing.js";

/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {{points: string[], isLoop: boolean}} Walk  Each point is the query of its address. */

const LOOP = "loop";

/**
 * Read a walk, such as `at=1:0;at=777:0;loop`; null if it is malformed.
 * @param {string} text
 * @returns {Walk | null}
 */
export function parseWalk(text) {
  const parts = text.split(";");
  const isLoop = parts.at(-1) === LOOP;
  const points = isLoop ? parts.slice(0, -1) : parts;
  try {
    return points.length > 1 && points.every(pointOf) ? { points, isLoop } : null;
  } catch {
    return null;
  }
}

/** @param {Walk} walk */
export function formatWalk({ points, isLoop }) {
  return [...points, ...(isLoop ? [LOOP] : [])].join(";");
}

/**
 * Return the points of some frames, as docs/points.md defines them, for live samples.
 * @param {Walk} walk
 * @param {number} count number of all frames
 * @param {number[]} frames
 * @param {string[]} classNames of the model
 */
export function framePoints({ points, isLoop }, count, frames, classNames) {
  const path = [...points, ...(isLoop ? points.slice(0, 1) : [])].map((text) => /** @type {Point} */ (pointOf(text)));
  const ways = path.length - 1;
  return frames.map((frame) => {
    const place = (frame * ways) / Math.max(1, count - (isLoop ? 0 : 1));
    const before = Math.min(Math.floor(place), ways - 1);
    return mix(
      /** @type {Point} */ (path[before]),
      /** @type {Point} */ (path[before + 1]),
      place - before,
      classNames,
    );
  });
}

/**
 * @param {Point} first
 * @param {Point} second
 * @param {number} share
 * @param {string[]} classNames
 * @returns {Point}
 */
function mix(first, second, share, classNames) {
  const { atoms, classes } = between(faceOf(first), faceOf(second), share, classNames);
  const names = Object.keys({ ...first.shift, ...second.shift });
  const [from, to] = [first.truncation ?? 1, second.truncation ?? 1];
  return {
    at: atoms,
    ...(classes && { classes }),
    shift: Object.fromEntries(
      names.map((name) => [name, (1 - share) * (first.shift?.[name] ?? 0) + share * (second.shift?.[name] ?? 0)]),
    ),
    truncation: (1 - share) * from + share * to,
  };
}

/**
 * @param {Point} point
 * @returns {import("../play/mixing.js").Face}
 */
function faceOf({ at, classes }) {
  const total = Object.values(classes ?? {}).reduce((sum, weight) => sum + weight, 0);
  const shares = Object.entries(classes ?? {}).map(([name, weight]) => [name, weight / total]);
  return { atoms: at, classes: total ? Object.fromEntries(shares) : null };
}

/** @param {string} text */
function pointOf(text) {
  return parsePoint(new URLSearchParams(text));
}
