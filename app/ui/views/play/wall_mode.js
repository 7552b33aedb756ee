/** The mode Wall: up to 1 024 faces of one seed. */

import { html, nothing } from "../../vendor/lit-html.js";
import { playLink } from "./links.js";
import { classesOf } from "./mixing.js";
import { WALL_COUNTS, faceAt, pointOfFace } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./mixing.js").Face} Face */
/** @typedef {"open" | "a" | "b"} Deed  What a click on a face does. */

export class WallMode {
  #focused = 0;
  #typed = "";
  /** @type {Deed} */
  #deed = "open";
  #message = "";

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
  }

  template() {
    const { seed, count, order } = this.player.state.wall;
    return html`<div class="wall-mode">
      ${this.#controls(seed, count, order)} ${this.#chosen()}
      <div class="wall" role="group" aria-label=${`Faces of seed ${seed}`} aria-describedby="wall-keys"
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#press(event)}>
        ${this.#groups(count, order).map(
          ({ name, indices }) => html`${name ? html`<h3>${name}</h3>` : nothing}
            <div class="cells">${indices.map((index) => this.#cell(index))}</div>`,
        )}
      </div>
    </div>`;
  }

  /**
   * @param {number} seed
   * @param {number} count
   * @param {string} order
   */
  #controls(seed, count, order) {
    const classes = this.player.classNames;
    return html`<div class="row">
        <label class="field">Seed <input type="number" min="0" step="1" .value=${String(seed)}
          @change=${(/** @type {Event & {target: HTMLInputElement}} */ { target }) => this.#setSeed(target)} /></label>
        <label class="field">Faces <select @change=${(/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
          this.#set({ count: Number(target.value) })}>
          ${WALL_COUNTS.map((each) => html`<option value=${each} ?selected=${each === count}>${each.toLocaleString("en")}</option>`)}
        </select></label>
        ${classes.length > 1
          ? html`<label class="field">Classes <select @change=${(/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
              this.#set({ order: target.value })}>
              <option value="cycle" ?selected=${order === "cycle"}>in turn</option>
              <option value="classes" ?selected=${order === "classes"}>class by class</option>
              ${classes.map((name) => html`<option value=${`only ${name}`} ?selected=${order === `only ${name}`}>only ${name}</option>`)}
            </select></label>`
          : nothing}
        <button type="button" @click=${() => this.#set({ seed: Math.floor(Math.random() * 1_000_000) })}>Another seed</button>
      </div>
      <p class="hint" id="wall-keys">
        A click opens a face. With keys: arrows move, Enter takes a face as A, Shift and Enter as B, Space opens, digits jump to an index.
      </p>`;
  }

  /** The two faces that were taken, and what a click does. */
  #chosen() {
    const { a, b } = this.player.state;
    const deed = (/** @type {Deed} */ value, /** @type {string} */ label) =>
      html`<button type="button" class="chip" aria-pressed=${this.#deed === value ? "true" : "false"}
        @click=${() => this.#choose(value)}>${label}</button>`;
    return html`<div class="chosen">
      <div class="chips" role="group" aria-label="What a click does">
        ${deed("open", "Open")} ${deed("a", "Take as A")} ${deed("b", "Take as B")}
      </div>
      <div class="pair">${this.#small("A", a)} ${b ? this.#small("B", b) : nothing}
        ${b ? html`<a class="button" href=${playLink(this.player, { mode: "one", between: 0.5 })}>Walk from A to B</a>` : nothing}
      </div>
      <p class="hint" role="status">${this.#message}</p>
    </div>`;
  }

  /**
   * @param {string} name
   * @param {Face} face
   */
  #small(name, face) {
    const { model, state, classNames } = this.player;
    return html`<figure class="face"><face-image .model=${model} .point=${pointOfFace(face, state, classNames)}
      .group=${"chosen"}></face-image><figcaption>${name}</figcaption></figure>`;
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
    return classes.map((name, label) => ({ name, indices: indices.filter((index) => index % classes.length === label) }));
  }

  /** @param {number} index */
  #cell(index) {
    const { model, state, classNames } = this.player;
    const face = this.#face(index);
    const label = Object.keys(classesOf(face, classNames))[0];
    return html`<button type="button" class="cell" data-index=${index} tabindex=${index === this.#focused ? "0" : "-1"}
      aria-label=${`Face ${index}${label ? `, ${label}` : ""}`}
      @focus=${() => this.#focus(index)} @click=${() => this.#use(this.#deed, index)}>
      <face-image .model=${model} .point=${pointOfFace(face, { ...state, classes: null }, classNames)} .group=${"wall"}></face-image>
    </button>`;
  }

  /**
   * @param {number} index
   * @returns {Face}
   */
  #face(index) {
    const { seed, order } = this.player.state.wall;
    const only = order.startsWith("only ") ? order.slice(5) : null;
    const face = faceAt(seed, index);
    return only && this.player.classNames.includes(only) ? { ...face, classes: { [only]: 1 } } : face;
  }

  /** @param {HTMLInputElement} input */
  #setSeed(input) {
    const seed = Math.floor(input.valueAsNumber);
    if (Number.isSafeInteger(seed) && seed >= 0) this.#set({ seed });
    else input.value = String(this.player.state.wall.seed);
  }

  /** @param {Partial<import("./play_state.js").PlayState["wall"]>} part */
  #set(part) {
    this.#focused = 0;
    this.player.set({ wall: { ...this.player.state.wall, ...part } });
  }

  /** @param {Deed} deed */
  #choose(deed) {
    this.#deed = deed;
    this.player.refresh();
  }

  /**
   * @param {Deed} deed
   * @param {number} index
   */
  #use(deed, index) {
    const face = this.#face(index);
    this.#message = deed === "open" ? "" : `${deed.toUpperCase()} is face ${index} of seed ${this.player.state.wall.seed}.`;
    if (deed === "open") this.player.set({ mode: "one", a: face, between: 0, classes: null });
    else if (deed === "a") this.player.set({ a: face, classes: null });
    else this.player.set({ b: face, classes: null });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!(event.target instanceof HTMLElement) || event.ctrlKey || event.altKey || event.metaKey) return;
    const index = Number(event.target.dataset.index);
    if (event.key === "Enter") this.#use(event.shiftKey ? "b" : "a", index);
    else if (event.key === " ") this.#use("open", index);
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
    const cells = [.../** @type {NodeListOf<HTMLElement>} */ (this.root?.querySelectorAll(".cell") ?? [])];
    const place = cells.indexOf(cell);
    const row = Math.max(1, cells.findIndex((each) => each.offsetTop > cells[0].offsetTop));
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row, PageUp: -4 * row, PageDown: 4 * row };
    if (key === "Home") cells[0].focus();
    else if (key === "End") cells[cells.length - 1].focus();
    else if (key in steps) cells[Math.min(cells.length - 1, Math.max(0, place + steps[/** @type {keyof typeof steps} */ (key)]))].focus();
    else return false;
    return true;
  }

  /**
   * Jump to the index that the last digits make. A pause of a second starts a new number.
   * @param {string} digit
   */
  #type(digit) {
    this.#typed += digit;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => (this.#typed = ""), 1000);
    this.#cellAt(Number(this.#typed))?.focus();
  }

  /** @param {number} index */
  #focus(index) {
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
    return this.root?.querySelector(`.cell[data-index="${index}"]`) ?? null;
  }

  /** @param {HTMLElement} root */
  mounted(root) {
    this.root = root;
  }

  moved() {}

  rested() {}

  close() {
    window.clearTimeout(this.timer);
  }
}
