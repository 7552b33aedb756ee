// The state of the view Styles: read from the address of the page, written to it, and turned into a request.

/**
 * @typedef {object} StyleState
 * @property {string} style id of the style that is tried on; empty if none is
 * @property {string} model
 * @property {"standard" | "distilled"} mode
 * @property {number} strength from 0 to 1
 * @property {number} seed of the images
 * @property {string} job id of the job that tries it on; empty before it is started
 */

export const IMAGES = 4;

/**
 * Read the state. Malformed values become defaults, so that an old link still opens.
 * @param {URLSearchParams} query
 * @returns {StyleState}
 */
export function parseStyles(query) {
  const strength = Number.parseFloat(query.get("strength") ?? "");
  const seed = query.get("seed") ?? "";
  return {
    style: query.get("style") ?? "",
    model: query.get("model") ?? "",
    mode: query.get("mode") === "distilled" ? "distilled" : "standard",
    strength: strength >= 0 && strength <= 1 ? strength : 1,
    seed: /^\d{1,15}$/.test(seed) ? Number(seed) : 1,
    job: query.get("job") ?? "",
  };
}

/**
 * Return the query of a state, without its defaults.
 * @param {StyleState} state
 */
export function formatStyles({ style, model, mode, strength, seed, job }) {
  return new URLSearchParams({
    ...(style && { style }),
    ...(style && model && { model }),
    ...(style && mode !== "standard" && { mode }),
    ...(style && strength !== 1 && { strength: String(strength) }),
    ...(style && seed !== 1 && { seed: String(seed) }),
    ...(style && job && { job }),
  });
}

/**
 * Return the body of POST /generate and POST /estimate.
 * @param {StyleState} state
 * @param {string} model
 */
export function trialRequest({ style, mode, strength, seed }, model) {
  return { model, n: IMAGES, seed, style, style_mode: mode, style_strength: strength };
}

/**
 * Return the query of an order in this style.
 * @param {StyleState} state
 * @param {string} model
 */
export function orderQuery({ style, mode, strength, seed }, model) {
  return new URLSearchParams({
    style,
    ...(model && { model }),
    ...(mode !== "standard" && { style_mode: mode }),
    ...(strength !== 1 && { style_strength: String(strength) }),
    seed: String(seed),
  });
}
