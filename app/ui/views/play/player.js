/** Holds the state while a user plays: every change shows at once, and settles when the sliders rest. */

import { formatState, pointOf } from "./play_state.js";

/** @typedef {import("./play_state.js").PlayState} PlayState */
/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */

const REST_MS = 150;
const MAX_STATES = 200;

/** The state, its history, and the two speeds of the page: each frame while a slider moves, and once when it rests. */
export class Player {
  /** @type {UndoHistory<PlayState>} */
  history = new UndoHistory();
  #rest = 0;

  /**
   * @param {LiveModel} model
   * @param {Model} entry of the model in the list of models
   * @param {PlayState} state
   * @param {object} listeners
   * @param {() => void} listeners.onMove runs for each change, so it must be quick
   * @param {() => void} listeners.onRest runs when the state has settled
   * @param {() => void} listeners.refresh renders the page without a change of the state
   */
  constructor(model, entry, state, { onMove, onRest, refresh }) {
    this.model = model;
    this.entry = entry;
    this.state = state;
    this.onMove = onMove;
    this.onRest = onRest;
    this.refresh = refresh;
  }

  /** Names of the model's classes. */
  get classNames() {
    return this.entry.classes;
  }

  get point() {
    return pointOf(this.state, this.classNames);
  }

  /** The query of the state, for the URL. */
  get query() {
    return formatState(this.state, this.classNames, this.model.sliderChecksum);
  }

  /**
   * Change a part of the state while a slider moves. The page settles after 150 ms without a change.
   * @param {Partial<PlayState>} part
   */
  move(part) {
    this.state = { ...this.state, ...part };
    this.#stopTimer();
    this.#rest = window.setTimeout(() => this.settle(), REST_MS);
    this.onMove();
  }

  /**
   * Change a part of the state, and settle at once.
   * @param {Partial<PlayState>} part
   */
  set(part) {
    this.#settlePending();
    this.state = { ...this.state, ...part };
    this.onMove();
    this.settle();
  }

  /** Add the state to the history, and update the parts of the page that wait for rest. */
  settle() {
    this.#stopTimer();
    this.history.add(this.query.toString(), this.state);
    this.onRest();
  }

  /**
   * Undo or redo one settled change.
   * @param {-1 | 1} step
   */
  travel(step) {
    this.#settlePending();
    const state = this.history.move(step);
    if (!state) return;
    this.state = state;
    this.onMove();
    this.onRest();
  }

  /** Settle a move that has not rested yet, so that it is a step of the history. */
  #settlePending() {
    if (this.#rest) this.settle();
  }

  #stopTimer() {
    window.clearTimeout(this.#rest);
    this.#rest = 0;
  }

  /** Stop the timer. */
  close() {
    this.#stopTimer();
  }
}

/** A list of states with a place in it. A new state drops those that were undone.
 * @template T
 */
class UndoHistory {
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
