// The data of a training run, and its growth while the run trains.

import { getJson } from "../../shell/api.js";

/**
 * @typedef {object} Epoch
 * @property {number} epoch
 * @property {number} images_seen
 * @property {number | null} loss_g
 * @property {number | null} loss_d
 * @property {number | null} real_score
 * @property {number | null} fake_score
 * @property {number | null} images_per_s
 * @property {number | null} seconds
 * @property {Record<string, number | null>} metrics
 * @property {string[]} events
 */

/**
 * @typedef {object} RunSummary
 * @property {number} number
 * @property {string} name
 * @property {"running" | "ended"} state
 * @property {number} epochs
 * @property {number} images_seen
 * @property {number | null} seconds
 * @property {Record<string, number | null>} metrics
 * @property {number} events
 * @property {string | null} updated_at
 */

/** @typedef {RunSummary & {samples: number[], checkpoints: string[]}} Run */

const POLL_SECONDS = 3;

/** A run with its log. */
export class RunData {
  /** @param {number} number */
  constructor(number) {
    this.number = number;
    /** @type {Run | null} */
    this.run = null;
    /** @type {Epoch[]} */
    this.log = [];
  }

  /**
   * Read what is new. Throws Problem.
   * @param {AbortSignal} signal
   */
  async read(signal) {
    this.run = await getJson(`runs/${this.number}`, { signal });
    const { lines, next } = await getJson(`runs/${this.number}/log`, { query: { after: this.log.length }, signal });
    if (next < this.log.length) {
      this.log = []; // a resumed run has dropped lines
      await this.read(signal);
    } else {
      this.log.push(...lines);
    }
  }
}

/**
 * Call a function every few seconds while the page is visible.
 * @param {() => Promise<void>} look
 * @param {AbortSignal} signal ends the calls
 */
export function repeatWhileVisible(look, signal) {
  async function turn() {
    if (signal.aborted) {
      return;
    }
    if (document.visibilityState === "visible") {
      await look().catch(() => {}); // the header says that the service is unreachable
    }
    setTimeout(() => void turn(), POLL_SECONDS * 1000);
  }

  setTimeout(() => void turn(), POLL_SECONDS * 1000);
}

/** @returns {Promise<{has_folder: boolean, runs: RunSummary[]}>} */
export function readRuns() {
  return getJson("runs");
}

/** @param {RunSummary} run */
export function stateBadge(run) {
  return run.state === "running" ? { words: "running", look: "badge good" } : { words: "ended", look: "badge" };
}
