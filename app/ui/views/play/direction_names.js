/** Names that a user gives to the directions of a model, kept in this browser. */

/**
 * Return the names for a model that this browser keeps.
 * @param {string} modelSha256
 * @returns {Record<string, string>}
 */
export function keptNames(modelSha256) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(modelSha256)) ?? "{}");
  } catch {
    return {};
  }
}

/**
 * Keep the names for a model in this browser. A browser without storage forgets them; the URL still has them.
 * @param {string} modelSha256
 * @param {Record<string, string>} names
 */
export function keepNames(modelSha256, names) {
  try {
    localStorage.setItem(keyOf(modelSha256), JSON.stringify(names));
  } catch {
    // Private windows may refuse storage.
  }
}

/**
 * Return a name without the characters that separate names in the URL, and with at most 40 characters.
 * @param {string} text
 */
export function cleanName(text) {
  return text
    .replace(/[,:\s]+/g, " ")
    .trim()
    .slice(0, 40);
}

/** @param {string} modelSha256 */
function keyOf(modelSha256) {
  return `imagemill.directions.${modelSha256}`;
}
