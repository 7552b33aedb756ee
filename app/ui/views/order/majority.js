/** Counts of images with a majority: two thirds of one class, the rest divided among the others. */

/**
 * Return the images of each class.
 * @param {string[]} names at least two
 * @param {string} main the class of two thirds
 * @param {number} total
 * @returns {Record<string, number>}
 */
export function majority(names, main, total) {
  const others = names.filter((name) => name !== main);
  const rest = total - Math.round((2 * total) / 3);
  const share = Math.floor(rest / others.length);
  const counts = Object.fromEntries(
    others.map((name, place) => [name, share + Number(place < rest - share * others.length)]),
  );
  return Object.fromEntries(names.map((name) => [name, counts[name] ?? total - rest]));
}

/**
 * Return the class that has the majority; an empty string if the counts are other ones.
 * @param {Record<string, number>} counts
 * @param {string[]} names
 */
export function majorityOf(counts, names) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total === 0) return "";
  const isSame = (/** @type {string} */ main) =>
    Object.entries(majority(names, main, total)).every(([name, count]) => count === (counts[name] ?? 0));
  return names.find(isSame) ?? "";
}
