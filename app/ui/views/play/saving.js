/** Saves files and copies text. */

/**
 * Return the name of a saved file. It says that the image is generated.
 * @param {string} model
 * @param {import("../../live/point.js").Point} point
 * @param {string} kind of the file, such as "png" or "webm"
 */
export function fileName(model, point, kind) {
  const [seed, index] = point.at[0];
  const isChanged = point.at.length > 1 || point.shift || point.classes || point.truncation !== undefined;
  return `generated-${model}-${seed}-${index}${isChanged ? "-changed" : ""}.${kind}`;
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
