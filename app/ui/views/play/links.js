/** Links of the view Play to itself and to other views. */

import { pointParameters } from "../../live/point.js";
import { formatState } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./play_state.js").PlayState} PlayState */

/**
 * Return the link to a state of the view Play.
 * @param {Player} player
 * @param {Partial<PlayState>} change
 */
export function playLink(player, change) {
  const { entry, slidersSha256 } = player.model;
  const query = formatState({ ...player.state, ...change }, player.classNames, slidersSha256);
  return `#/play/${encodeURIComponent(entry.name)}?${readable(query)}`;
}

/**
 * Return the link to an order of images around the point on the stage.
 * @param {Player} player
 */
export function orderLink(player) {
  const { entry, slidersSha256 } = player.model;
  const query = new URLSearchParams(pointParameters(player.point, slidersSha256));
  query.set("model", entry.name);
  query.set("spread", String(player.state.spread));
  return `#/order?${readable(query)}`;
}

/**
 * Return the text of a query, with `:`, `,`, `*` and `@` left readable.
 * @param {URLSearchParams} query
 */
export function readable(query) {
  return query.toString().replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%40/g, "@");
}
