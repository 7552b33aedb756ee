// The geometry of the grid: how large the images are, and how many are in a row.

/** Pixels between two images. */
export const GAP = 4;
/** Rows above and below the visible ones. */
export const SPARE_ROWS = 1;
/** Largest number of cells. More elements make scrolling slow. */
const MOST_CELLS = 320;
const SIZE_STEP = 4;

/**
 * Return the number of columns, and the side of an image in pixels, for a place of some width and height.
 * Images are a little larger than wanted, so that they fill the width; and larger where there would be too many.
 * @param {number} wanted side of an image in pixels
 * @param {number} width
 * @param {number} height
 */
export function gridGeometry(wanted, width, height) {
  let size = wanted;
  while (columnsOf(size, width) * (Math.ceil(height / (size + GAP)) + 2 * SPARE_ROWS) > MOST_CELLS) {
    size += SIZE_STEP;
  }
  const columns = columnsOf(size, width);
  const filling = Math.floor((width - GAP) / columns) - GAP;
  return { columns, size: Math.max(1, Math.min(filling, 2 * size)) };
}

/**
 * @param {number} size
 * @param {number} width
 */
function columnsOf(size, width) {
  return Math.max(1, Math.floor((width - GAP) / (size + GAP)));
}
