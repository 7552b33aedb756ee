// The event stream of all jobs: GET /events. It connects again after a restart of the service and after sleep.

/** @import { Job } from "./events.js" */
import { getJson, url } from "./api.js";
import { noteVersion } from "./upgrade.js";

const FIRST_RETRY_SECONDS = 2;
const LONGEST_RETRY_SECONDS = 30;
const CHECK_SECONDS = 5;
const SLEEP_SECONDS = 20;

export class JobStream {
  /** @param {(job: Job) => void} onJob */
  constructor(onJob) {
    this.onJob = onJob;
    /** @type {Map<string, Job>} */
    this.openJobs = new Map();
    this.retrySeconds = FIRST_RETRY_SECONDS;
    /** @type {EventSource | null} */
    this.source = null;
    this.retryTimer = 0;
    this.checkedAt = Date.now();
    this.checkTimer = setInterval(() => this.noticeSleep(), CHECK_SECONDS * 1000);
    this.restart();
  }

  /** Connect, or connect again. */
  restart() {
    clearTimeout(this.retryTimer);
    this.source?.close();
    const source = new EventSource(url("events"));
    this.source = source;
    source.addEventListener("version", (event) => {
      this.retrySeconds = FIRST_RETRY_SECONDS;
      noteVersion(JSON.parse(event.data).version);
    });
    source.addEventListener("job", (event) => this.take(JSON.parse(event.data)));
    source.addEventListener("open", (event) => {
      // The browser's own event of this name has no data.
      if (event instanceof MessageEvent) {
        void this.findEnded(JSON.parse(event.data).jobs);
      }
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) {
        // The service has answered with an error. The browser does not try again by itself.
        this.retryTimer = setTimeout(() => this.restart(), this.retrySeconds * 1000);
        this.retrySeconds = Math.min(2 * this.retrySeconds, LONGEST_RETRY_SECONDS);
      }
    });
  }

  close() {
    clearTimeout(this.retryTimer);
    clearInterval(this.checkTimer);
    this.source?.close();
  }

  /** @param {Job} job */
  take(job) {
    if (job.done) {
      this.openJobs.delete(job.id);
    } else {
      this.openJobs.set(job.id, job);
    }
    this.onJob(job);
  }

  /**
   * Read the jobs that have ended while there was no connection.
   * @param {string[]} open ids of all open jobs
   */
  async findEnded(open) {
    const ended = [...this.openJobs.keys()].filter((id) => !open.includes(id));
    for (const id of ended) {
      this.openJobs.delete(id);
      await getJson(`jobs/${id}`).then(this.onJob, () => {}); // a removed job has no record
    }
  }

  /** A timer that is late shows that the computer has slept. Its connections may be dead without an error. */
  noticeSleep() {
    const now = Date.now();
    if (now - this.checkedAt > SLEEP_SECONDS * 1000) {
      this.restart();
    }
    this.checkedAt = now;
  }
}
