// Counts the open jobs for the header. It starts after the first view, which needs the connections more.

import { onSession, readSession } from "./session.js";
import { watchJobs } from "./events.js";

/**
 * Call a function with the number of open jobs, at each change. Without a valid key there is nothing to count.
 * @param {(count: number) => void} onCount
 */
export function startJobCounter(onCount) {
  /** @type {Set<string>} */
  const open = new Set();
  /** @type {(() => void) | null} */
  let stop = null;

  /** @param {import("./events.js").Job} job */
  function take(job) {
    const before = open.size;
    if (job.done) open.delete(job.id);
    else open.add(job.id);
    if (open.size !== before) onCount(open.size);
  }

  async function look() {
    const session = await readSession().catch(() => null);
    const mayRead = session !== null && (!session.needs_key || session.owner !== null);
    if (mayRead) {
      stop ??= watchJobs(take);
      return;
    }
    stop?.();
    stop = null;
    open.clear();
    onCount(0);
  }

  onSession(() => void look());
  addEventListener("imagemill:unauthorized", () => void look());
  void look();
}
