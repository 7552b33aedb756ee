/** The costs of an order, as POST /estimate reports them. The answer to the newest question counts. */

import { Problem, send } from "../../shell/api.js";

/** Time after which the costs are asked for again, because the queue and the disk change. */
const REFRESH_MS = 10_000;

/** The same time while no worker has measured the model, as in the first seconds of a service. */
const UNMEASURED_MS = 2_000;

export class Estimate {
  /** @type {any} the answer of POST /estimate */
  costs = null;
  /** @type {Problem | null} */
  problem = null;
  #asking = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} onAnswer */
  constructor(onAnswer) {
    this.onAnswer = onAnswer;
  }

  /**
   * Ask for the costs of a request.
   * @param {Record<string, unknown>} json the body of POST /generate
   */
  ask(json) {
    this.close();
    const asking = new AbortController();
    this.#asking = asking;
    void this.#ask(json, asking.signal);
  }

  close() {
    clearTimeout(this.#timer);
    this.#asking.abort();
  }

  /**
   * @param {Record<string, unknown>} json
   * @param {AbortSignal} signal
   */
  async #ask(json, signal) {
    try {
      this.costs = await (await send("POST", "estimate", { json, signal })).json();
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.costs = null;
      this.problem = error instanceof Problem ? error : null;
    }
    if (signal.aborted) return;
    this.onAnswer();
    this.#timer = setTimeout(
      () => {
        if (document.visibilityState === "visible") this.ask(json);
      },
      this.costs && !this.costs.seconds ? UNMEASURED_MS : REFRESH_MS,
    );
  }
}
