/** Sizes and times in words. */

const COUNT = new Intl.NumberFormat("en");
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/**
 * Return a number of things, such as "1,539".
 * @param {number} value
 */
export function countText(value) {
  return COUNT.format(value);
}

/**
 * Return a size, such as "4.4 MB".
 * @param {number} bytes
 */
export function byteText(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power > 0 && value < 10 ? 1 : 0)} ${UNITS[power]}`;
}

/**
 * Return a time, such as "12 s", "3 min", "2.5 h" or "4 days"; a dash if it is unknown.
 * @param {number | null} seconds
 */
export function durationText(seconds) {
  if (seconds === null) return "–";
  if (seconds < 1) return "less than 1 s";
  if (seconds < 1.5 * MINUTE) return `${Math.round(seconds)} s`;
  if (seconds < 1.5 * HOUR) return `${Math.round(seconds / MINUTE)} min`;
  return seconds < 2 * DAY ? `${(seconds / HOUR).toFixed(1)} h` : `${Math.round(seconds / DAY)} days`;
}
