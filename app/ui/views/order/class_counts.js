/** The number of images of each class, in an order and in a query. */

/**
 * Return the counts of the classes that have images.
 * @param {Record<string, number>} counts
 */
export function wantedCounts(counts) {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/**
 * Return counts as the parameter `classes` of a query has them.
 * @param {Record<string, number>} counts
 */
export function formatCounts(counts) {
  return Object.entries(wantedCounts(counts))
    .map(([name, count]) => `${name.replace(/[%,:]/g, encodeURIComponent)}:${count}`)
    .join(",");
}

/**
 * Read counts from the parameter `classes` of a query. Unknown classes are left out.
 * @param {string} text
 * @param {string[]} classes
 */
export function readCounts(text, classes) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const part of text.split(",").filter(Boolean)) {
    const [name, count] = part.split(":", 2);
    const label = decode(name ?? "");
    if (classes.includes(label) && /^\d+$/.test(count ?? "")) counts[label] = Number(count);
  }
  return counts;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
