/** Reads an address that a user pastes, in any of the forms in which this service shows addresses. */

/** @typedef {{model: string | null, query: URLSearchParams}} PastedAddress  A point, and its model if the text names one. */

const FORMS = "Paste a link of this page, a path such as /images/faces-64/1/0.png, or a seed and an index such as 1:0.";

/**
 * Return the point that a text names.
 * @param {string} text
 * @returns {PastedAddress}
 * @throws {Error} if the text has none of the known forms; the message says which ones there are
 */
export function readAddress(text) {
  const trimmed = text.trim();
  const address = readPageLink(trimmed) ?? readImagePath(trimmed) ?? readQuery(trimmed) ?? readSeedAndIndex(trimmed);
  if (!address) throw new Error(`"${trimmed.slice(0, 60)}" is not an address. ${FORMS}`);
  return address;
}

/**
 * @param {string} text
 * @returns {PastedAddress | null}
 */
function readPageLink(text) {
  const match = /#\/play\/([^?/]+)(?:\?(.*))?$/.exec(text);
  if (!match) return null;
  const query = new URLSearchParams(match[2] ?? "");
  if (!query.has("at")) query.set("at", "1:0");
  return { model: decode(match[1]), query };
}

/**
 * @param {string} text
 * @returns {PastedAddress | null}
 */
function readImagePath(text) {
  const [path, search] = text.split("#")[0].split("?");
  const point = /(?:^|\/)images\/([^/]+)\/at\.(?:png|webp|jpg)$/.exec(path);
  const query = new URLSearchParams(search ?? "");
  if (point && query.has("at")) return { model: decode(point[1]), query };
  const image = /(?:^|\/)images\/([^/]+)\/(\d+)\/(\d+)\.(?:png|webp|jpg)$/.exec(path);
  if (!image) return null;
  const address = new URLSearchParams({ at: `${image[2]}:${image[3]}` });
  const label = query.get("class");
  if (label) address.set("classes", `${label}:1`);
  return { model: decode(image[1]), query: address };
}

/**
 * @param {string} text
 * @returns {PastedAddress | null}
 */
function readQuery(text) {
  if (!/^\??(?:.*&)?at=/.test(text)) return null;
  return { model: null, query: new URLSearchParams(text.replace(/^\?/, "")) };
}

/**
 * @param {string} text
 * @returns {PastedAddress | null}
 */
function readSeedAndIndex(text) {
  if (/^\d+:\d+(\*-?[\d.]+)?(,\d+:\d+(\*-?[\d.]+)?)*$/.test(text))
    return { model: null, query: new URLSearchParams({ at: text }) };
  const pair = /^(\d+)(?:[\s/,;]+(\d+))?$/.exec(text);
  return pair ? { model: null, query: new URLSearchParams({ at: `${pair[1]}:${pair[2] ?? 0}` }) } : null;
}

/**
 * Return the text without percent encoding, or the text itself if its encoding is damaged.
 * @param {string} text
 */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
