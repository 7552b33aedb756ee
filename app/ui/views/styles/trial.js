/** Four images of a model in a style, made by a job. */

/** @import { Job } from "../../shell/job.js" */
import { getJson, newIdempotencyKey, send } from "../../shell/api.js";

/** @typedef {{model: string, style: string, mode: string, strength: number}} TrialOrder */

export const TRIAL_IMAGES = 4;
export const TRIAL_SEED = 1;
const POLL_MS = 700;
const HOURS_KEPT = 24;

/**
 * Return the body of the request for a trial.
 * @param {TrialOrder} order
 */
export function trialRequest({ model, style, mode, strength }) {
  return {
    model,
    n: TRIAL_IMAGES,
    seed: TRIAL_SEED,
    style,
    style_mode: mode,
    style_strength: strength,
    ttl_hours: HOURS_KEPT,
  };
}

export class Trial {
  /** @type {Job | null} */
  job = null;
  /** @type {unknown} */
  problem = null;
  #ending = new AbortController();

  /**
   * Order the images.
   * @param {TrialOrder} order
   * @param {() => void} onChange
   */
  constructor(order, onChange) {
    this.order = order;
    this.onChange = onChange;
    void this.#run();
  }

  get isRunning() {
    return this.problem === null && !this.job?.done;
  }

  /** Follow the job no longer. It goes on. */
  close() {
    this.#ending.abort();
  }

  async cancel() {
    if (this.job) {
      await send("POST", `jobs/${this.job.id}/cancel`).catch(() => {}); // it may have ended meanwhile
    }
  }

  async #run() {
    const { signal } = this.#ending;
    try {
      const options = { json: trialRequest(this.order), idempotencyKey: newIdempotencyKey(), signal };
      /** @type {Job} */
      let job = await (await send("POST", "generate", options)).json();
      for (;;) {
        this.job = job;
        this.onChange();
        if (job.done) {
          return;
        }
        await pause(POLL_MS, signal);
        job = await getJson(`jobs/${job.id}`, { signal });
      }
    } catch (error) {
      if (!signal.aborted) {
        this.problem = error;
        this.onChange();
      }
    }
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
