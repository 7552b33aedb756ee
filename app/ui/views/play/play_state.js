/** The state of the view Play, its point, and its text in the URL. */

import { formatPoint, parsePoint, pointParameters } from "../../live/point.js";
import { between, insideSquare, round, rounded } from "./mixing.js";

/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {import("./mixing.js").Face} Face */
/** @typedef {import("./mixing.js").Shares} Shares */
/** @typedef {"one" | "wall" | "square" | "compare"} Mode */
/**
 * @typedef {object} PlayState
 * @property {Mode} mode
 * @property {Face} a
 * @property {Face | null} b
 * @property {number} between share of b, from 0 to 1
 * @property {Shares | null} classes of all faces; null leaves each face its own
 * @property {Record<string, number>} shift sigmas of each slider
 * @property {number} truncation
 * @property {number} spread of the variations, from 0 to 1
 * @property {number} variationSeed
 * @property {Face[]} corners of the square
 * @property {[number, number]} knob column and row in the square, each from 0 to 1
 * @property {{seed: number, count: number, order: string}} wall
 * @property {boolean} isPickingB the next click on the wall chooses B, and mixes A with it
 * @property {string[]} compared names of the models in the rows of Compare; empty for all
 * @property {Record<string, string>} names that the user gave to directions
 */

/** @type {Mode[]} */
export const MODES = ["one", "wall", "square", "compare"];
export const WALL_COUNTS = [64, 256, 576, 1024];
const DEFAULT_SPREAD = 0.35;
const DEFAULT_VARIATION_SEED = 1001;

/**
 * Return the face of an address.
 * @param {number} seed
 * @param {number} index
 * @returns {Face}
 */
export function faceAt(seed, index) {
  return { atoms: [[seed, index, 1]], classes: null };
}

/**
 * Return the state that a query describes.
 * @param {URLSearchParams} query
 * @param {string[]} classNames of the model
 * @returns {PlayState}
 * @throws {RangeError} if a part is malformed or out of range
 */
export function readState(query, classNames) {
  const point = parsePoint(query) ?? { at: [[1, 0, 1]] };
  const corners = query.getAll("corner").map(readFace);
  const knob = (query.get("knob") ?? "0.5,0.5").split(",").map(Number);
  const [seed, index] = point.at[0];
  /** @type {PlayState} */
  const state = {
    mode: MODES.find((mode) => mode === query.get("mode")) ?? "one",
    a: { atoms: point.at, classes: null },
    b: null,
    between: 0,
    classes: point.classes ?? null,
    shift: point.shift ?? {},
    truncation: point.truncation ?? 1,
    spread: readNumber(query, "spread", DEFAULT_SPREAD, 0.05, 1),
    variationSeed: Math.floor(readNumber(query, "variations", DEFAULT_VARIATION_SEED, 0, 2 ** 53 - 1)),
    corners: corners.length === 4 ? corners : [0, 1, 2, 3].map((step) => faceAt(seed, index + step)),
    knob: [clamp(knob[0], 0, 1), clamp(knob[1] ?? 0.5, 0, 1)],
    wall: {
      seed: Math.floor(readNumber(query, "wall", seed, 0, 2 ** 53 - 1)),
      count: WALL_COUNTS.find((count) => count === Number(query.get("count"))) ?? 256,
      order: query.get("order") ?? "cycle",
    },
    isPickingB: query.get("pick") === "b",
    compared: query.getAll("model"),
    names: readNames(query.get("names") ?? ""),
  };
  return state.mode === "square"
    ? restoreSquare(state, point, classNames)
    : restoreTowards(state, query, point, classNames);
}

/**
 * Return the state with the two faces that a mixed point lies between, if the query names them.
 * @param {PlayState} state
 * @param {URLSearchParams} query
 * @param {Point} point
 * @param {string[]} classNames
 * @returns {PlayState}
 */
function restoreTowards(state, query, point, classNames) {
  const to = query.get("to");
  if (!to) return state;
  const b = readFace(to);
  const a = readFace(query.get("from") ?? formatFace(state.a));
  const share = readNumber(query, "between", 0, 0, 1);
  for (const classes of [null, state.classes]) {
    const candidate = { ...state, a, b, between: share, classes };
    if (formatPoint(pointOf(candidate, classNames)) === formatPoint(point)) return candidate;
  }
  return { ...state, b };
}

/**
 * Return the state without fixed classes, if the point's classes come from the corners of the square.
 * @param {PlayState} state
 * @param {Point} point
 * @param {string[]} classNames
 * @returns {PlayState}
 */
function restoreSquare(state, point, classNames) {
  const candidate = { ...state, classes: null };
  return formatPoint(pointOf(candidate, classNames)) === formatPoint(point) ? candidate : state;
}

/**
 * Return the face of a state before rounding: between A and B, or at the knob of the square.
 * @param {PlayState} state
 * @param {string[]} classNames
 * @returns {Face}
 */
export function faceOf(state, classNames) {
  if (state.mode === "square") return insideSquare(state.corners, state.knob, classNames);
  return state.b ? between(state.a, state.b, state.between, classNames) : state.a;
}

/**
 * Return the point on the stage.
 * @param {PlayState} state
 * @param {string[]} classNames
 * @returns {Point}
 */
export function pointOf(state, classNames) {
  return pointOfFace(faceOf(state, classNames), state, classNames);
}

/**
 * Return the point of a face under the look of a state: its classes, truncation and sliders.
 * @param {Face} face
 * @param {PlayState} state
 * @param {string[]} classNames
 * @returns {Point}
 */
export function pointOfFace(face, state, classNames) {
  const { atoms, classes } = rounded(face, classNames);
  /** @type {Point} */
  const point = { at: atoms };
  if (state.classes ?? classes) point.classes = state.classes ?? classes ?? {};
  if (Object.values(state.shift).some(Boolean)) point.shift = state.shift;
  if (state.truncation !== 1) point.truncation = state.truncation;
  return point;
}

/**
 * Return the query of a state. Values that are the default are left out.
 * @param {PlayState} state
 * @param {string[]} classNames
 * @param {string} sliders checksum of the model's sliders
 * @returns {URLSearchParams}
 */
export function formatState(state, classNames, sliders) {
  const query = new URLSearchParams(pointParameters(pointOf(state, classNames), sliders));
  if (state.mode !== "one") query.set("mode", state.mode);
  if (state.mode === "square") {
    for (const corner of state.corners) query.append("corner", formatFace(corner));
    query.set("knob", state.knob.map(round).join(","));
  } else if (state.b) {
    query.set("from", formatFace(state.a));
    query.set("to", formatFace(state.b));
    query.set("between", String(state.between));
  }
  if (state.mode === "wall") {
    query.set("wall", String(state.wall.seed));
    query.set("count", String(state.wall.count));
    if (state.isPickingB) query.set("pick", "b");
    if (state.wall.order !== "cycle") query.set("order", state.wall.order);
  }
  if (state.mode === "compare") for (const name of state.compared) query.append("model", name);
  if (state.spread !== DEFAULT_SPREAD) query.set("spread", String(state.spread));
  if (state.variationSeed !== DEFAULT_VARIATION_SEED) query.set("variations", String(state.variationSeed));
  const names = Object.entries(state.names).map(([name, own]) => `${name}:${own}`);
  if (names.length) query.set("names", names.join(","));
  return query;
}

/**
 * Return the text of a face: its atoms, and `@` with its classes if it has own ones.
 * @param {Face} face
 */
export function formatFace(face) {
  const rounding = /** @type {import("./mixing.js").Atom[]} */ (
    face.atoms.map(([seed, index, weight]) => [seed, index, round(weight)])
  );
  const [[, at], classes] = pointParameters({ at: rounding, ...(face.classes ? { classes: face.classes } : {}) });
  return classes ? `${at}@${classes[1]}` : at;
}

/**
 * @param {string} text
 * @returns {Face}
 * @throws {RangeError} if the text is malformed
 */
export function readFace(text) {
  const [at, ...classes] = text.split("@");
  const query = new URLSearchParams({ at, ...(classes.length ? { classes: classes.join("@") } : {}) });
  const point = parsePoint(query) ?? { at: [[1, 0, 1]] };
  return { atoms: point.at, classes: point.classes ?? null };
}

/**
 * @param {string} text
 * @returns {Record<string, string>}
 */
function readNames(text) {
  const pairs = text.split(",").map((part) => part.split(":"));
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2 && pair[1]));
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {number} fallback
 * @param {number} low
 * @param {number} high
 */
function readNumber(query, name, fallback, low, high) {
  const text = query.get(name);
  return text === null ? fallback : clamp(Number(text), low, high);
}

/**
 * Return the number within its limits; the lower limit for text that is no number.
 * @param {number} number
 * @param {number} low
 * @param {number} high
 */
function clamp(number, low, high) {
  return Number.isFinite(number) ? Math.min(high, Math.max(low, number)) : low;
}
