/** The images of the wall: one tab stop, moved by keys. */

import { html, nothing } from "../../vendor/lit-html.js";
import { classesOf } from "./mixing.js";
import { faceAt, pointOfFace } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./mixing.js").Face} Face */
/** @typedef {"open" | "a" | "b"} Deed  What happens with a face: it is opened, or becomes A or B. */

const TYPING_MS = 1000;
const ROWS_OF_A_PAGE = 4;

export class WallGrid {
  #focused = 0;
  #typed = "";
  #typing = 0;
  /** @type {HTMLElement | null} */
  #root = null;

  /**
   * @param {Player} player
   * @param {(index: number) => void} onClick
   * @param {(deed: Deed, index: number) => void} onDeed is called for keys
   */
  constructor(player, onClick, onDeed) {
    this.player = player;
    this.onClick = onClick;
    this.onDeed = onDeed;
  }

  template() {
    const { seed, count, order } = this.player.state.wall;
    const press = (/** @type {KeyboardEvent} */ event) => this.#press(event);
    return html`<div class="wall" role="group" aria-label=${`Images of seed ${seed}`} @keydown=${press}>
      ${this.#groups(count, order).map(
        ({ name, indices }) =>
          html`${name ? html`<h3>${name}</h3>` : nothing}
            <div class="cells">${indices.map((index) => this.#cell(index))}</div>`,
      )}
    </div>`;
  }

  /**
   * Return the indices of the faces, in groups with a heading if they are ordered by class.
   * @param {number} count
   * @param {string} order
   * @returns {{name: string, indices: number[]}[]}
   */
  #groups(count, order) {
    const indices = Array.from({ length: count }, (_, index) => index);
    const classes = this.player.classNames;
    if (order !== "classes" || classes.length < 2) return [{ name: "", indices }];
    return classes.map((name, label) => ({ name, indices: indices.filter((i) => i % classes.length === label) }));
  }

  /** @param {number} index */
  #cell(index) {
    const { model, state, classNames } = this.player;
    const face = this.face(index);
    const label = Object.keys(classesOf(face, classNames))[0];
    return html`<button
      type="button"
      class="cell"
      data-index=${index}
      tabindex=${index === this.#focused ? "0" : "-1"}
      aria-label=${label ? `Image ${index}, ${label}` : `Image ${index}`}
      @focus=${() => this.#moveTabStop(index)}
      @click=${() => this.onClick(index)}
    >
      <face-image .model=${model} .point=${pointOfFace(face, { ...state, classes: null }, classNames)}></face-image>
    </button>`;
  }

  /**
   * Return the face of an index, with the class that the whole wall has, if it has one.
   * @param {number} index
   * @returns {Face}
   */
  face(index) {
    const { seed, order } = this.player.state.wall;
    const only = order.startsWith("only ") ? order.slice("only ".length) : null;
    const face = faceAt(seed, index);
    return only && this.player.classNames.includes(only) ? { ...face, classes: { [only]: 1 } } : face;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!(event.target instanceof HTMLElement) || event.ctrlKey || event.altKey || event.metaKey) return;
    const index = Number(event.target.dataset.index);
    if (event.key === "Enter") this.onDeed(event.shiftKey ? "b" : "a", index);
    else if (event.key === " ") this.onDeed("open", index);
    else if (/^\d$/.test(event.key)) this.#type(event.key);
    else if (!this.#step(event.target, event.key)) return;
    event.preventDefault();
  }

  /**
   * Move the focus by a key, and return whether the key moves it. Rows are as the browser has laid them out.
   * @param {HTMLElement} cell
   * @param {string} key
   */
  #step(cell, key) {
    const cells = [.../** @type {NodeListOf<HTMLElement>} */ (this.#root?.querySelectorAll(".cell") ?? [])];
    const last = cells.length - 1;
    const place = cells.indexOf(cell);
    const columns = Math.max(
      1,
      cells.findIndex((each) => each.offsetTop > cells[0].offsetTop),
    );
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: place - 1,
      ArrowRight: place + 1,
      ArrowUp: place - columns,
      ArrowDown: place + columns,
      PageUp: place - ROWS_OF_A_PAGE * columns,
      PageDown: place + ROWS_OF_A_PAGE * columns,
      Home: 0,
      End: last,
    };
    if (!(key in places)) return false;
    cells[Math.min(last, Math.max(0, places[key]))].focus();
    return true;
  }

  /**
   * Jump to the index that the last digits make. A pause of a second starts a new number.
   * @param {string} digit
   */
  #type(digit) {
    this.#typed += digit;
    window.clearTimeout(this.#typing);
    this.#typing = window.setTimeout(() => (this.#typed = ""), TYPING_MS);
    this.#cellAt(Number(this.#typed))?.focus();
  }

  /** @param {number} index */
  #moveTabStop(index) {
    if (index === this.#focused) return;
    this.#cellAt(this.#focused)?.setAttribute("tabindex", "-1");
    this.#cellAt(index)?.setAttribute("tabindex", "0");
    this.#focused = index;
  }

  /**
   * @param {number} index
   * @returns {HTMLElement | null}
   */
  #cellAt(index) {
    return this.#root?.querySelector(`.cell[data-index="${index}"]`) ?? null;
  }

  /** @param {HTMLElement} root */
  mounted(root) {
    this.#root = root;
  }

  close() {
    window.clearTimeout(this.#typing);
  }
}
