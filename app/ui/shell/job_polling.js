// Follows the jobs by repeated requests, where the browser has no locks between tabs.

/** @import { Job } from "./events.js" */
import { getJson } from "./api.js";

const POLL_SECONDS = 2;

/**
 * Read the list of jobs while the page is visible.
 * @param {(job: Job) => void} deliver
 * @returns {() => void} stop
 */
export function followByPolling(deliver) {
  const ending = new AbortController();
  /** @type {Set<string>} */
  const open = new Set();

  async function look() {
    if (document.visibilityState === "visible") {
      await readJobs().catch(() => {}); // the header says that the service is unreachable
    }
    if (!ending.signal.aborted) {
      setTimeout(() => void look(), POLL_SECONDS * 1000);
    }
  }

  async function readJobs() {
    /** @type {{jobs: Job[]}} */
    const { jobs } = await getJson("jobs", { query: { limit: 50 }, signal: ending.signal });
    for (const job of jobs) {
      if (!job.done || open.has(job.id)) {
        deliver(job);
      }
      if (job.done) {
        open.delete(job.id);
      } else {
        open.add(job.id);
      }
    }
  }

  void look();
  return () => ending.abort();
}
