/** Saves files and copies text. */

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

/**
 * Save bytes as a file in the folder of downloads.
 * @param {Blob} blob
 * @param {string} name
 */
export function saveFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
