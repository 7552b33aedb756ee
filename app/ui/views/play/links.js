/** Links of the view Play to itself and to other views. */

import { pointParameters } from "../../live/point.js";
import { hashOf } from "../../shell/router.js";
import { formatState } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./play_state.js").PlayState} PlayState */

/**
 * Return the link to a state of the view Play.
 * @param {Player} player
 * @param {Partial<PlayState>} change
 */
export function playLink(player, change) {
  const { entry, model } = player;
  const query = formatState({ ...player.state, ...change }, player.classNames, model.sliderChecksum);
  return hashOf(["play", entry.name], query);
}

/**
 * Return the link to an order of images around the point on the stage.
 * @param {Player} player
 */
export function orderLink(player) {
  const { entry, model } = player;
  const query = new URLSearchParams(pointParameters(player.point, model.sliderChecksum));
  query.set("model", entry.name);
  query.set("spread", String(player.state.spread));
  return hashOf(["order"], query);
}
