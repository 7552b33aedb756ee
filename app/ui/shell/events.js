// Watches all jobs of the user. One event stream serves all tabs: the leader tab has it, and tells the others.

import { getJson, url } from "./api.js";

/** @typedef {import("../views/jobs/job_text.js").Job} Job */

const CHANNEL = "imagemill-jobs";
const POLL_MS = 2000;
/** @type {Set<(job: Job) => void>} */
const callbacks = new Set();
/** @type {(() => void) | null} */
let stopWatching = null;

/**
 * Call a function whenever a job is new or has changed.
 * @param {(job: Job) => void} callback
 * @returns {() => void} ends the calls
 */
export function watchJobs(callback) {
  callbacks.add(callback);
  stopWatching ??= navigator.locks ? watchWithOtherTabs() : poll();
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) {
      stopWatching?.();
      stopWatching = null;
    }
  };
}

/** @param {Job} job */
function report(job) {
  for (const callback of [...callbacks]) {
    callback(job);
  }
}

function watchWithOtherTabs() {
  const channel = new BroadcastChannel(CHANNEL);
  const ending = new AbortController();
  channel.addEventListener("message", (event) => report(event.data));
  // A tab that stops before it becomes the leader rejects the request.
  navigator.locks.request(CHANNEL, { signal: ending.signal }, () => lead(channel, ending.signal)).catch(() => {});
  return () => {
    ending.abort();
    channel.close();
  };
}

/**
 * @param {BroadcastChannel} channel
 * @param {AbortSignal} signal
 */
function lead(channel, signal) {
  const source = new EventSource(url("events"));
  source.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    channel.postMessage(job);
    report(job);
  });
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      source.close();
      resolve(undefined);
    });
  });
}

/** Without a secure context, browsers have no locks. Then a visible tab asks for the newest jobs. */
function poll() {
  const timer = setInterval(async () => {
    if (document.visibilityState === "visible") {
      const { jobs } = await getJson("jobs", { query: { limit: 50 } }).catch(() => ({ jobs: [] }));
      jobs.forEach(report);
    }
  }, POLL_MS);
  return () => clearInterval(timer);
}
