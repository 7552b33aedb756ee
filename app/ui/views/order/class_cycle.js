/** The classes of a dataset in the order of its images: the same rule as in worker/contracts/class_cycle.py. */

/** Longest cycle that is sorted here. A longer one is the service's work; its beginning is computed as if it were short. */
const LONGEST = 100_000;

/**
 * Return a function from an index to the number of its class.
 * @param {number[]} counts images of each class; at least one is positive
 * @returns {(index: number) => number}
 */
export function classCycle(counts) {
  const divisor = counts.reduce(greatestCommonDivisor);
  const exact = counts.map((count) => count / divisor);
  const length = exact.reduce((sum, share) => sum + share, 0);
  const shares = length > LONGEST ? exact.map((share) => Math.round((share * LONGEST) / length)) : exact;
  /** @type {{rank: number, label: number}[]} */
  const images = shares.flatMap((share, label) =>
    Array.from({ length: share }, (_, place) => ({ rank: (2 * place + 1) / share, label })),
  );
  images.sort((a, b) => a.rank - b.rank || a.label - b.label);
  return (index) => /** @type {{label: number}} */ (images[index % images.length]).label;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
