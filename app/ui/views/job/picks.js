// The images that the user has thrown out of a job. They are saved in the service a second after the last change.

/** @import { Job } from "../../shell/job.js" */
import { getJson, send } from "../../shell/api.js";
import { findReplacement } from "./replacement.js";

const SAVE_MS = 1000;
const MOST_UNDO = 200;

export class Picks {
  /**
   * @param {string} jobId
   * @param {() => void} onChange
   * @param {(error: unknown) => void} onProblem
   */
  constructor(jobId, onChange, onProblem) {
    this.jobId = jobId;
    this.path = `jobs/${jobId}/picks`;
    /** The newest job with other images in the place of these. @type {Job | null} */
    this.replacement = null;
    this.onChange = onChange;
    this.onProblem = onProblem;
    /** @type {Set<number>} indices */
    this.excluded = new Set();
    /** @type {number[][]} indices that changed, for undo */
    this.history = [];
    this.timer = 0;
  }

  /**
   * Read the saved picks. Throws Problem.
   * @param {AbortSignal} signal
   */
  async load(signal) {
    const { exclude } = await getJson(this.path, { signal });
    this.excluded = new Set(exclude);
    this.onChange();
    if (this.excluded.size > 0) {
      this.replacement = await findReplacement(this.jobId, signal);
      this.onChange();
    }
  }

  /** @param {number | null} index */
  has(index) {
    return index !== null && this.excluded.has(index);
  }

  /**
   * Return the job that has replaced all excluded images; null if one of them is left.
   * @param {Job} job
   */
  replacementOf(job) {
    const { replacement } = this;
    return replacement?.excluded === job.excluded + this.excluded.size ? replacement : null;
  }

  /**
   * Throw images out, or take them back.
   * @param {number[]} indices
   * @param {boolean} isExcluded
   */
  set(indices, isExcluded) {
    const changed = indices.filter((index) => this.excluded.has(index) !== isExcluded);
    if (changed.length === 0) {
      return;
    }
    this.#flip(changed);
    this.history.push(changed);
    this.history.splice(0, this.history.length - MOST_UNDO);
  }

  undo() {
    const last = this.history.pop();
    if (last) {
      this.#flip(last);
    }
  }

  /** Save the picks now, if they have changed. */
  async save() {
    if (this.timer === 0) {
      return;
    }
    clearTimeout(this.timer);
    this.timer = 0;
    const exclude = [...this.excluded].sort((a, b) => a - b);
    try {
      await send("PUT", this.path, { json: { exclude } });
    } catch (error) {
      this.onProblem(error);
    }
  }

  /** @param {number[]} indices */
  #flip(indices) {
    for (const index of indices) {
      if (!this.excluded.delete(index)) {
        this.excluded.add(index);
      }
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), SAVE_MS);
    this.onChange();
  }

  /**
   * Make a new job with other images in the place of the excluded ones. Throws Problem.
   * @param {Job} job
   * @returns {Promise<Job>}
   */
  async replace(job) {
    await this.save();
    const exclude = [...this.excluded].sort((a, b) => a - b);
    return (await send("POST", job.links["curate"] ?? "", { json: { exclude } })).json();
  }
}
