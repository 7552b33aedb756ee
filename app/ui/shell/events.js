// The jobs of the user as they change. One tab has the event stream; the others hear from it.
// A browser has six connections to a host, so a stream for each tab would block the seventh tab.

import { url } from "./api.js";
import { followByPolling } from "./job_polling.js";
import { JobStream } from "./job_stream.js";

/** @typedef {import("./job.js").Job} Job */

const NAME = `imagemill-events ${url("")}`;
const CHANGED = "imagemill:session";

/** @type {Set<(job: Job) => void>} */
const watchers = new Set();
/** The last state of each job of this page. @type {Map<string, Job>} */
const known = new Map();
/** @type {(() => void) | null} */
let stopFollowing = null;

/**
 * Call a function with each open job, and with each job that changes, until `stop` is called.
 * @param {(job: Job) => void} callback
 * @returns {() => void} stop
 */
export function watchJobs(callback) {
  watchers.add(callback);
  for (const job of known.values()) {
    callback(job);
  }
  stopFollowing ??= follow();
  return () => {
    watchers.delete(callback);
    if (watchers.size === 0) {
      stopFollowing?.();
      stopFollowing = null;
      known.clear();
    }
  };
}

/** @param {Job} job */
function deliver(job) {
  if (JSON.stringify(known.get(job.id)) === JSON.stringify(job)) {
    return;
  }
  known.set(job.id, job);
  for (const watcher of watchers) {
    watcher(job);
  }
  if (job.done) {
    known.delete(job.id);
  }
}

/** @returns {() => void} */
function follow() {
  // Web Locks need a secure context, which a page of a local network is not.
  return navigator.locks && globalThis.BroadcastChannel ? followByLeader() : followByPolling(deliver);
}

/** The tab that gets the lock is the leader. When it closes, the browser gives the lock to the next tab. */
function followByLeader() {
  const channel = new BroadcastChannel(NAME);
  const ending = new AbortController();
  /** @type {JobStream | null} */
  let stream = null;
  channel.addEventListener("message", ({ data }) => {
    if (data.job) {
      deliver(data.job);
    } else if (data.isQuestion && stream) {
      for (const job of stream.openJobs.values()) {
        channel.postMessage({ job });
      }
    }
  });
  channel.postMessage({ isQuestion: true });
  const lead = () =>
    new Promise((resolve) => {
      stream = new JobStream((job) => {
        deliver(job);
        channel.postMessage({ job });
      });
      const restart = () => stream?.restart();
      addEventListener(CHANGED, restart);
      ending.signal.addEventListener("abort", () => {
        removeEventListener(CHANGED, restart);
        stream?.close();
        stream = null;
        resolve(undefined);
      });
    });
  navigator.locks.request(NAME, { signal: ending.signal }, lead).catch(() => {}); // the wait was aborted
  return () => {
    ending.abort();
    channel.close();
  };
}
