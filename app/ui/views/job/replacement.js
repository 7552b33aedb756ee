// The newer job in which the images that were thrown out of a job are replaced.

import { getJson } from "../../shell/api.js";

/** @import { Job } from "../jobs/job_text.js" */

/** Jobs of the list that are searched, the newest first. */
const SEARCHED_JOBS = 100;

/**
 * Return the newest job that replaces images of a job; null if the newest jobs have none. Throws Problem.
 * @param {string} id of the job
 * @param {AbortSignal} signal
 * @returns {Promise<Job | null>}
 */
export async function findReplacement(id, signal) {
  const { jobs } = await getJson("jobs", { query: { limit: SEARCHED_JOBS }, signal });
  const found = /** @type {Job[]} */ (jobs).filter(({ curates, state }) => curates === id && state !== "cancelled");
  return found.sort((a, b) => (a.created < b.created ? 1 : -1))[0] ?? null;
}
