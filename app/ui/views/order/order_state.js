/** The state of an order: read from the address of the page, written to it, and turned into a request. */

import { parsePoint, pointParameters, randomSeed } from "../../live/point.js";
import { classCycle } from "./class_cycle.js";
import { formatCounts, readCounts, wantedCounts } from "./class_counts.js";
import { formatWalk, parseWalk } from "./walk.js";

/** @typedef {import("../../live/point.js").Point} Point */
/** @typedef {import("../../shell/model_list.js").Model} Model */

/**
 * @typedef {object} OrderState
 * @property {string} model
 * @property {number} n used unless classes are ordered by number
 * @property {Point | null} around
 * @property {import("./walk.js").Walk | null} walk used instead of a point, a seed and classes
 * @property {string} sliders checksum of the sliders that the point shifts
 * @property {number} spread distance from the point, from 0 to 1
 * @property {"balanced" | "one" | "counts"} division of the images into classes
 * @property {string} classLabel the class of all images
 * @property {Record<string, number>} counts images of each class
 * @property {number} keep share of the images that the quality gate keeps
 * @property {boolean} dropsCopies
 * @property {number | null} distinct
 * @property {number} truncation
 * @property {number} seed
 * @property {number} start
 * @property {string} format
 * @property {string} layout
 * @property {string} style
 * @property {string} styleMode
 * @property {number} styleStrength
 * @property {string} split
 * @property {string} name
 * @property {number | null} ttlHours
 */

const DEFAULT_IMAGES = 500;
const DEFAULT_SPREAD = 0.35;

/**
 * Read an order. Unknown and malformed values become defaults, so that an old link still opens.
 * @param {URLSearchParams} query
 * @param {Model[]} models at least one
 * @returns {OrderState}
 */
export function parseOrder(query, models) {
  const wanted = query.get("model");
  const model = models.find(({ name }) => name === wanted) ?? /** @type {Model} */ (models[0]);
  const counts = readCounts(query.get("counts") ?? "", model.classes);
  const walk = parseWalk(query.get("between") ?? "");
  const point = walk ? null : readPoint(query);
  // A dataset has one class for each image, so a mixture of the point is left out, and a single class is ordered.
  const { classes: mixture = {}, ...around } = point ?? {};
  const [only, ...others] = Object.keys(mixture);
  const pointClass = only !== undefined && others.length === 0 && model.classes.includes(only) ? only : "";
  const classLabel = query.get("class") ?? pointClass;
  const hasClass = model.classes.includes(classLabel);
  return {
    model: model.name,
    n: readWhole(query, "n", DEFAULT_IMAGES),
    around: point && /** @type {Point} */ (around),
    walk,
    sliders: query.get("sliders") ?? "",
    spread: readShare(query, "spread", DEFAULT_SPREAD),
    division: Object.keys(counts).length ? "counts" : hasClass ? "one" : "balanced",
    classLabel: hasClass ? classLabel : (model.classes[0] ?? ""),
    counts,
    keep: model.gate ? readShare(query, "keep", 1) : 1,
    dropsCopies: query.get("copies") === "drop",
    distinct: query.has("distinct") ? readWhole(query, "distinct", 0) : null,
    truncation: point ? 1 : readShare(query, "truncation", 1),
    seed: query.has("seed") ? readWhole(query, "seed", 0) : randomSeed(),
    start: readWhole(query, "start", 0),
    format: query.get("format") ?? "png",
    layout: query.get("layout") ?? "imagefolder",
    style: query.get("style") ?? "",
    styleMode: query.get("style_mode") ?? "standard",
    styleStrength: readShare(query, "style_strength", 1),
    split: query.get("split") ?? "",
    name: query.get("name") ?? "",
    ttlHours: query.has("ttl_hours") ? readWhole(query, "ttl_hours", 1) : null,
  };
}

/**
 * Return the query of an order, without its defaults.
 * @param {OrderState} state
 */
export function formatOrder(state) {
  const query = new URLSearchParams();
  if (state.around) {
    for (const [name, text] of pointParameters(state.around, state.sliders)) query.set(name, text);
    query.set("spread", String(state.spread));
  }
  query.set("model", state.model);
  if (state.walk) query.set("between", formatWalk(state.walk));
  if (state.division !== "counts") query.set("n", String(state.n));
  if (state.division === "one") query.set("class", state.classLabel);
  if (state.division === "counts") query.set("counts", formatCounts(state.counts));
  for (const [name, value] of Object.entries(optionsOf(state))) query.set(name, String(value));
  query.set("seed", String(state.seed));
  return query;
}

/**
 * Return the body of POST /generate and POST /estimate.
 * @param {OrderState} state
 * @returns {Record<string, unknown>}
 */
export function requestOf(state) {
  /** @type {Record<string, unknown>} */
  const body = { model: state.model };
  if (state.walk) return { ...body, n: state.n, between: formatWalk(state.walk), ...optionsOf(state) };
  if (state.division === "counts") body.classes = wantedCounts(state.counts);
  else body.n = state.n;
  if (state.division === "one") body.class = state.classLabel;
  if (state.around) body.around = aroundText(state.around, state);
  return { ...body, ...optionsOf(state), seed: state.seed };
}

/**
 * Return a point with its spread, as the parameter `around`.
 * @param {Point} around
 * @param {OrderState} state
 */
function aroundText(around, { sliders, spread }) {
  const query = new URLSearchParams(pointParameters(around, sliders));
  query.set("spread", String(spread));
  return decodeURIComponent(query.toString());
}

/**
 * Return whether rules may choose among the images. Their shares hold for images of a plain seed only.
 * @param {OrderState} state
 */
export function canSelect(state) {
  return !state.around && !state.walk && state.truncation === 1;
}

/**
 * Return the number of images of an order.
 * @param {OrderState} state
 */
export function imagesOf(state) {
  return state.division === "counts" && !state.walk
    ? Object.values(state.counts).reduce((sum, count) => sum + count, 0)
    : state.n;
}

/**
 * Return the classes of the first candidates, as numbers; empty for a model without classes.
 * @param {OrderState} state
 * @param {string[]} names
 * @param {number} count
 */
export function firstClasses(state, names, count) {
  if (names.length === 0) return [];
  const shares = names.map((name) => {
    if (state.division === "counts") return state.counts[name] ?? 0;
    return state.division === "one" ? Number(name === state.classLabel) : 1;
  });
  if (shares.every((share) => share === 0)) return [];
  const cycle = classCycle(shares);
  return Array.from({ length: count }, (_, place) => cycle(state.start + place));
}

/**
 * Return the options that differ from the defaults, named as in a request.
 * @param {OrderState} state
 * @returns {Record<string, string | number>}
 */
function optionsOf(state) {
  return {
    ...(canSelect(state) && state.keep < 1 && { keep: state.keep }),
    ...(canSelect(state) && state.dropsCopies && { copies: "drop" }),
    ...(canSelect(state) && state.distinct !== null && { distinct: state.distinct }),
    ...(!state.around && !state.walk && state.truncation !== 1 && { truncation: state.truncation }),
    ...(!state.walk && state.start > 0 && { start: state.start }),
    ...(state.format !== "png" && { format: state.format }),
    ...(state.format !== "npz" && state.layout !== "imagefolder" && { layout: state.layout }),
    ...(state.style && { style: state.style, style_mode: state.styleMode, style_strength: state.styleStrength }),
    ...(!state.walk && state.split && { split: state.split }),
    ...(state.name && { name: state.name }),
    ...(state.ttlHours !== null && { ttl_hours: state.ttlHours }),
  };
}

/** @param {URLSearchParams} query */
function readPoint(query) {
  try {
    return parsePoint(query);
  } catch {
    return null;
  }
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {number} fallback
 */
function readWhole(query, name, fallback) {
  const text = query.get(name) ?? "";
  return /^\d{1,16}$/.test(text) ? Number(text) : fallback;
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {number} fallback
 */
function readShare(query, name, fallback) {
  const value = Number.parseFloat(query.get(name) ?? "");
  return value >= 0 && value <= 1 ? value : fallback;
}
