// Four images that try a style on: the images of the model above, and those of the job in the style below.

import "../play/face_image.js";
import { problemMessage } from "../../components/problem.js";
import { openModel } from "../../live/live.js";
import { getJson, newIdempotencyKey, send, url } from "../../shell/api.js";
import { watchJobs } from "../../shell/events.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { duration } from "../jobs/job_text.js";
import { IMAGES } from "./style_state.js";

/** @import { LiveModel } from "../../live/live.js" */
/** @import { Job } from "../../shell/job.js" */
/** @import { Model } from "../../shell/model_list.js" */

const PLACES = Array.from({ length: IMAGES }, (_, place) => place);

export class Trial {
  /** @type {Job | null} */
  job = null;
  /** @type {unknown} */
  problem = null;
  isSending = false;
  /** @type {LiveModel | null} */
  #live = null;
  #model = "";
  #wanted = "";
  #key = newIdempotencyKey();
  #closing = new AbortController();
  #stopWatching;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.#stopWatching = watchJobs((job) => this.#take(job));
  }

  close() {
    this.#closing.abort();
    this.#stopWatching();
    this.#live?.close();
  }

  /**
   * Draw the images of a model without the style.
   * @param {Model} model
   */
  async showModel(model) {
    if (this.#model === model.sha256) {
      return;
    }
    this.#model = model.sha256;
    this.#live?.close();
    this.#live = null;
    const live = await openModel(model).catch(() => null); // the job's images are shown without them
    if (this.#closing.signal.aborted || this.#model !== model.sha256) {
      live?.close();
      return;
    }
    this.#live = live;
    this.onChange();
  }

  /**
   * Follow a job. An empty id forgets the last one.
   * @param {string} id
   */
  async follow(id) {
    if (this.#wanted === id) {
      return;
    }
    this.#wanted = id;
    this.#key = newIdempotencyKey();
    this.job = null;
    this.problem = null;
    if (id) {
      try {
        this.#take(await getJson(`jobs/${encodeURIComponent(id)}`, { signal: this.#closing.signal }));
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /**
   * Start the job of a request. A double click starts one. Returns its id, or null if the service refused it.
   * @param {Record<string, unknown>} json
   */
  async start(json) {
    if (this.isSending) {
      return null;
    }
    this.isSending = true;
    this.problem = null;
    this.onChange();
    try {
      const options = { json, idempotencyKey: this.#key, signal: this.#closing.signal };
      const job = await (await send("POST", "generate", options)).json();
      this.#wanted = job.id;
      this.#take(job);
      return job.id;
    } catch (error) {
      this.#fail(error);
      return null;
    } finally {
      this.isSending = false;
      this.onChange();
    }
  }

  async cancel() {
    try {
      this.#take(await (await send("POST", this.job?.links["cancel"] ?? "")).json());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {number} seed */
  template(seed) {
    const isDone = this.job?.state === "succeeded";
    return html`<div class="trial" aria-busy=${String(Boolean(this.job && !this.job.done))}>
        ${PLACES.map(
          (index) =>
            html`<figure>
              ${
                this.#live
                  ? html`<face-image
                      role="img"
                      aria-label=${`Image ${index + 1} without the style`}
                      .model=${this.#live}
                      .point=${{ at: [[seed, index, 1]] }}
                    ></face-image>`
                  : html`<span class="face-place"></span>`
              }
              ${
                isDone
                  ? html`<img src=${this.#image(index)} alt=${`Image ${index + 1} in the style`} />`
                  : html`<span class="face-place"></span>`
              }
            </figure>`,
        )}
      </div>
      <div class="trial-state" role="status">${this.#progress()}</div>
      ${this.problem ? problemMessage(this.problem) : nothing}`;
  }

  #progress() {
    const { job } = this;
    if (!job) {
      return html`<p class="hint">Above: the images of the model. Below: the same images in the style.</p>`;
    }
    if (job.state === "failed") {
      return html`<p class="notice bad">The images could not be made: ${job.error?.message ?? "the job failed"}.</p>`;
    }
    if (job.state === "cancelled") {
      return html`<p class="hint">Cancelled.</p>`;
    }
    if (job.state === "succeeded") {
      return html`<p class="hint">Done. The address of this page shows them again.</p>`;
    }
    const [words, share] = progressOf(job);
    return html`<p>${words}</p>
      <progress max="1" value=${share ?? nothing} aria-label="Progress of the four images"></progress>`;
  }

  /** @param {number} index */
  #image(index) {
    return url((this.job?.links["image"] ?? "").replace("{index}", String(index)));
  }

  /** @param {Job} job */
  #take(job) {
    if (job.id === this.#wanted) {
      this.job = job;
      this.onChange();
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!this.#closing.signal.aborted) {
      this.problem = error;
      this.onChange();
    }
  }
}

/**
 * @param {Job} job that has not ended
 * @returns {[string, number | null]} words, and the share that is done
 */
function progressOf(job) {
  const left = job.eta_seconds === null ? "" : `, about ${duration(job.eta_seconds)} left`;
  if (job.state === "queued") {
    return ["Waits for a worker …", null];
  }
  if (job.phase === "learning style") {
    const share = job.style_learnt ?? 0;
    return [`The model learns the style: ${Math.round(share * 100)} %${left}`, share];
  }
  return [`Makes the images: ${job.images_done} of ${job.images_total}${left}`, job.images_done / job.images_total];
}
