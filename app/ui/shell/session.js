// The session of the browser in a service with keys. Its cookie is out of reach of scripts.

import { getJson, send } from "./api.js";

/**
 * @typedef {object} Session
 * @property {boolean} needs_key
 * @property {string | null} owner null without a session
 */

const CHANGED = "imagemill:session";

/**
 * Return the session. Throws Problem.
 * @returns {Promise<Session>}
 */
export function readSession() {
  return getJson("session");
}

/**
 * Start a session for a key. Throws Problem.
 * @param {string} key
 * @returns {Promise<Session>}
 */
export async function startSession(key) {
  const session = await (await send("POST", "session", { json: { key } })).json();
  dispatchEvent(new CustomEvent(CHANGED));
  return session;
}

/** End the session. Throws Problem. */
export async function endSession() {
  await send("DELETE", "session");
  dispatchEvent(new CustomEvent(CHANGED));
}

/**
 * Call a function when a session starts or ends.
 * @param {() => void} callback
 */
export function onSession(callback) {
  addEventListener(CHANGED, callback);
}
