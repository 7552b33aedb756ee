/** Names of styles. The service has none, so this browser keeps the names of the files that it uploaded. */

const PREFIX = "imagemill.style.";
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** @typedef {import("./upload.js").Style} Style */

/** @param {Style} style */
export function styleName(style) {
  return keptName(style.id) ?? `Style of ${DAY.format(new Date(style.created))}`;
}

/**
 * Keep the name of the file of a style. A browser without storage forgets it.
 * @param {string} id
 * @param {string} fileName
 */
export function keepStyleName(id, fileName) {
  try {
    localStorage.setItem(PREFIX + id, fileName.replace(/\.\w+$/, "").slice(0, 60));
  } catch {
    // Private windows may refuse storage.
  }
}

/** @param {string} id */
export function forgetStyleName(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // Private windows may refuse storage.
  }
}

/** @param {string} id */
function keptName(id) {
  try {
    return localStorage.getItem(PREFIX + id);
  } catch {
    return null;
  }
}
