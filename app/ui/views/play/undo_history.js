/** Undo and redo of settled states. */

const MAX_STATES = 200;

/** A list of states with a place in it. A new state drops those that were undone.
 * @template T
 */
export class UndoHistory {
  /** @type {{key: string, state: T}[]} */
  #states = [];
  #place = -1;

  /**
   * Add a state, unless it is the current one.
   * @param {string} key equal for equal states
   * @param {T} state
   */
  add(key, state) {
    if (this.#states[this.#place]?.key === key) return;
    this.#states = [...this.#states.slice(0, this.#place + 1), { key, state }].slice(-MAX_STATES);
    this.#place = this.#states.length - 1;
  }

  get canUndo() {
    return this.#place > 0;
  }

  get canRedo() {
    return this.#place < this.#states.length - 1;
  }

  /**
   * Move by a number of states, and return the state there.
   * @param {-1 | 1} step
   * @returns {T | null} null at either end
   */
  move(step) {
    const entry = this.#states[this.#place + step];
    if (!entry) return null;
    this.#place += step;
    return entry.state;
  }
}
