// A queue of points to draw. In a group, such as one slider's, only the newest waiting point is drawn.

/**
 * @typedef {import("./point.js").Point} Point
 * @typedef {ImageBitmap | ImageData} Frame
 * @typedef {(points: Point[]) => Promise<Frame[]>} Runner draws some points at once
 * @typedef {{
 *   point: Point,
 *   group: string | undefined,
 *   turn: number,
 *   resolve(frame: Frame): void,
 *   reject(error: unknown): void,
 * }} Task
 * @typedef {{group?: string, isUrgent?: boolean, signal?: AbortSignal}} DrawOptions
 */

export class DrawQueue {
  /**
   * @param {Runner[]} runners each draws one batch at a time
   * @param {number} most largest number of points of a batch
   */
  constructor(runners, most) {
    this.runners = new Set(runners);
    this.idle = [...runners];
    this.most = most;
    /** @type {Task[]} */
    this.waiting = [];
    /** @type {Set<Task>} */
    this.running = new Set();
    /** @type {Map<string, number>} the turn of the newest frame of each group that was delivered */
    this.delivered = new Map();
    this.turn = 0;
  }

  /**
   * Draw a point. The promise rejects with an AbortError if a newer point of the group replaces it while it waits, if a
   * newer frame of the group was delivered before, or if the signal or `dropGroup` ends it.
   *
   * @param {Point} point
   * @param {DrawOptions} [options] urgent points are drawn before all others
   * @returns {Promise<Frame>}
   */
  add(point, { group, isUrgent = false, signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError());
        return;
      }
      /** @type {Task} */
      const task = { point, group, turn: this.turn++, resolve, reject };
      signal?.addEventListener("abort", () => this.#drop((other) => other === task), { once: true });
      if (group !== undefined) {
        this.#dropWaiting((other) => other.group === group);
      }
      if (isUrgent) {
        this.waiting.unshift(task);
      } else {
        this.waiting.push(task);
      }
      this.#start();
    });
  }

  /**
   * End all draws of a group.
   *
   * @param {string} group
   */
  dropGroup(group) {
    this.#drop((task) => task.group === group);
    this.delivered.delete(group);
  }

  /**
   * Let other runners draw the points that wait. Those that are being drawn stay with their runners, unless these fail.
   *
   * @param {Runner[]} runners
   * @param {number} most
   */
  replaceRunners(runners, most) {
    this.runners = new Set(runners);
    this.idle = [...runners];
    this.most = most;
    this.#start();
  }

  /** End all draws. */
  close() {
    this.#drop(() => true);
  }

  #start() {
    while (this.waiting.length && this.idle.length) {
      const runner = /** @type {Runner} */ (this.idle.shift());
      const tasks = this.waiting.splice(0, this.most);
      for (const task of tasks) {
        this.running.add(task);
      }
      this.#run(runner, tasks);
    }
  }

  /**
   * @param {Runner} runner
   * @param {Task[]} tasks
   */
  async #run(runner, tasks) {
    try {
      const frames = await runner(tasks.map((task) => task.point));
      tasks.forEach((task, i) => this.#deliver(task, frames[i]));
    } catch (error) {
      this.#fail(runner, tasks, error);
    }
    for (const task of tasks) {
      this.running.delete(task);
    }
    if (this.runners.has(runner)) {
      this.idle.push(runner);
    }
    this.#start();
  }

  /**
   * @param {Runner} runner
   * @param {Task[]} tasks
   * @param {unknown} error
   */
  #fail(runner, tasks, error) {
    if (!this.runners.has(runner)) {
      this.waiting.unshift(...tasks); // the runners that have replaced it may do better
      return;
    }
    for (const task of tasks) {
      task.reject(error);
    }
  }

  /**
   * @param {Task} task
   * @param {Frame} frame
   */
  #deliver(task, frame) {
    if (task.group !== undefined) {
      if (task.turn < (this.delivered.get(task.group) ?? 0)) {
        task.reject(abortError());
        return;
      }
      this.delivered.set(task.group, task.turn);
    }
    task.resolve(frame);
  }

  /** @param {(task: Task) => boolean} isDropped */
  #drop(isDropped) {
    this.#dropWaiting(isDropped);
    for (const task of this.running) {
      if (isDropped(task)) {
        task.reject(abortError());
      }
    }
  }

  /** @param {(task: Task) => boolean} isDropped */
  #dropWaiting(isDropped) {
    const dropped = this.waiting.filter(isDropped);
    this.waiting = this.waiting.filter((task) => !isDropped(task));
    for (const task of dropped) {
      task.reject(abortError());
    }
  }
}

function abortError() {
  return new DOMException("a newer image replaced this one, or it was no longer needed", "AbortError");
}
