/** Links of the view Play to itself and to other views, and the names of the files that it saves. */

import { formatPoint, pointParameters } from "../../live/point.js";
import { hashOf } from "../../shell/router.js";
import { formatState, pointOfFace } from "./play_state.js";

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
  query.set("seed", String(player.state.variationSeed)); // the dataset begins with the variations that are shown
  return hashOf(["order"], query);
}

/** Number of frames of an order, like the video: one lap of 4 seconds with 24 frames each. */
const WALK_FRAMES = 96;

/**
 * Return the link to an order of the frames of the walk between A and B, and back.
 * @param {Player} player
 * @param {import("./mixing.js").Face} from
 * @param {import("./mixing.js").Face} to
 */
export function walkLink({ entry, model, state, classNames }, from, to) {
  const ends = [from, to].map((face) => formatPoint(pointOfFace(face, state, classNames), model.sliderChecksum));
  const query = new URLSearchParams({
    model: entry.name,
    n: String(WALK_FRAMES),
    between: [...ends, "loop"].join(";"),
  });
  return hashOf(["order"], query);
}

/**
 * Return the name of a saved image. It says that the image is generated.
 * @param {string} model
 * @param {import("../../live/point.js").Point} point
 */
export function imageName(model, point) {
  const [seed, index] = point.at[0];
  const isChanged = point.at.length > 1 || point.shift || point.classes || point.truncation !== undefined;
  return `generated-${model}-${seed}-${index}${isChanged ? "-changed" : ""}.png`;
}

/**
 * Return the name of a saved video.
 * @param {string} model
 * @param {import("./mixing.js").Face} from
 * @param {import("./mixing.js").Face} to
 */
export function walkName(model, from, to) {
  const ends = [from, to].map(({ atoms: [[seed, index]] }) => `${seed}-${index}`);
  return `generated-${model}-walk-${ends.join("-to-")}.webm`;
}
