// Points: the text of an image's place between latents, in the page's URL and in the API's.

/**
 * @typedef {[seed: number, index: number, weight: number]} Atom
 * @typedef {{
 *   at: Atom[],
 *   classes?: Record<string, number>,
 *   shift?: Record<string, number>,
 *   truncation?: number,
 * }} Point
 */

const ATOM = /^(\d+):(\d+)(?:\*(.+))?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HIDDEN = /[%,:]/g;

/**
 * Parse the point in a query; null if it has no `at`.
 *
 * @param {URLSearchParams} query
 * @returns {Point | null}
 * @throws {RangeError} if a part is malformed or a number is out of range
 */
export function parsePoint(query) {
  const at = query.get("at");
  if (at === null) {
    return null;
  }
  /** @type {Point} */
  const point = { at: at.split(",").map(parseAtom) };
  const classes = query.get("classes");
  const shift = query.get("shift");
  const truncation = query.get("truncation");
  if (classes) {
    point.classes = parseNamed("classes", classes);
  }
  if (shift) {
    point.shift = parseNamed("shift", shift);
  }
  if (truncation !== null) {
    point.truncation = parseNumber("truncation", truncation);
  }
  return point;
}

/**
 * Return the parameters of a point in their order, each as [name, text]. Parts without effect are left out.
 *
 * @param {Point} point
 * @param {string} [sliders] the checksum of the sliders that `shift` names, which the API needs with a shift
 * @returns {[string, string][]}
 */
export function pointParameters(point, sliders = "") {
  /** @type {[string, string][]} */
  const parameters = [["at", point.at.map(formatAtom).join(",")]];
  const shift = formatNamed(point.shift);
  const classes = formatNamed(point.classes) || formatNamed(point.classes, { hasZeros: true });
  if (shift) {
    parameters.push(["shift", shift]);
  }
  if (classes) {
    parameters.push(["classes", classes]);
  }
  if (point.truncation !== undefined && point.truncation !== 1) {
    parameters.push(["truncation", String(roundNumber(point.truncation))]);
  }
  if (shift && sliders) {
    parameters.push(["sliders", sliders.slice(0, 8)]);
  }
  return parameters;
}

/**
 * Return the query of a point, with `:`, `,` and `*` left readable.
 *
 * @param {Point} point
 * @param {string} [sliders]
 * @returns {string}
 */
export function formatPoint(point, sliders = "") {
  const readable = (/** @type {string} */ text) => encodeURIComponent(text).replace(/%3A/g, ":").replace(/%2C/g, ",");
  return pointParameters(point, sliders)
    .map(([name, text]) => `${name}=${readable(text)}`)
    .join("&");
}

/**
 * @param {string} text
 * @returns {Atom}
 */
function parseAtom(text) {
  const match = ATOM.exec(text.trim());
  if (!match) {
    throw new RangeError(`at: must be like 1:0 or 1:0*0.5, got ${quote(text)}`);
  }
  const [seed, index] = [Number(match[1]), Number(match[2])];
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(index)) {
    throw new RangeError(`at: a seed and an index lie in 0..${Number.MAX_SAFE_INTEGER}, got ${quote(text)}`);
  }
  return [seed, index, match[3] === undefined ? 1 : parseNumber("at", match[3])];
}

/**
 * @param {Atom} atom
 * @returns {string}
 */
function formatAtom([seed, index, weight]) {
  return weight === 1 ? `${seed}:${index}` : `${seed}:${index}*${roundNumber(weight)}`;
}

/**
 * @param {string} parameter
 * @param {string} text
 * @returns {Record<string, number>}
 */
function parseNamed(parameter, text) {
  /** @type {Record<string, number>} */
  const numbers = Object.create(null);
  for (const part of text.split(",")) {
    const colon = part.lastIndexOf(":");
    if (colon < 1) {
      throw new RangeError(`${parameter}: must be like name:1, got ${quote(part)}`);
    }
    const name = decodeName(parameter, part.slice(0, colon));
    if (name in numbers) {
      throw new RangeError(`${parameter}: ${quote(name)} is named twice; name it once`);
    }
    numbers[name] = parseNumber(parameter, part.slice(colon + 1));
  }
  return numbers;
}

/**
 * @param {Record<string, number> | undefined} numbers
 * @param {{hasZeros: boolean}} [options]
 * @returns {string}
 */
function formatNamed(numbers, { hasZeros } = { hasZeros: false }) {
  return Object.entries(numbers ?? {})
    .filter(([, number]) => hasZeros || roundNumber(number) !== 0)
    .map(([name, number]) => `${encodeName(name)}:${roundNumber(number)}`)
    .join(",");
}

/**
 * @param {string} parameter
 * @param {string} text
 * @returns {number}
 */
function parseNumber(parameter, text) {
  const number = NUMBER.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(number)) {
    throw new RangeError(`${parameter}: must be a number, got ${quote(text)}`);
  }
  return roundNumber(number);
}

/**
 * Round a number to six digits after the point, as the service does.
 *
 * @param {number} number
 */
function roundNumber(number) {
  return Math.round(number * 1e6) / 1e6;
}

/** Write the characters that separate names and numbers as %2C, %3A and %25, as in `classes` of /generate.
 *
 * @param {string} name
 * @returns {string}
 */
function encodeName(name) {
  return name.replace(HIDDEN, (character) => encodeURIComponent(character));
}

/**
 * @param {string} parameter
 * @param {string} text
 * @returns {string}
 */
function decodeName(parameter, text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`${parameter}: in a name, write % as %25, got ${quote(text)}`);
  }
}

/**
 * @param {string} text
 * @returns {string}
 */
function quote(text) {
  return `"${text.slice(0, 100)}"`;
}

/** Random seeds are small, so that they are easy to read and to type. */
const RANDOM_SEEDS = 1_000_000;

/** Return a random seed. */
export function randomSeed() {
  return Math.floor(Math.random() * RANDOM_SEEDS);
}
