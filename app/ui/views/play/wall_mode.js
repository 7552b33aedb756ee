/** The mode Wall: up to 1 024 images of one seed. */

import { html, nothing } from "../../vendor/lit-html.js";
import { randomSeed } from "../../live/point.js";
import { playLink } from "./links.js";
import { WALL_COUNTS, pointOfFace } from "./play_state.js";
import { WallGrid } from "./wall_grid.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./mixing.js").Face} Face */
/** @typedef {import("./wall_grid.js").Deed} Deed */
/** @typedef {Event & {target: HTMLInputElement}} InputEvent */
/** @typedef {Event & {target: HTMLSelectElement}} SelectEvent */

/** @type {[Deed, string][]} */
const DEEDS = [
  ["open", "Open"],
  ["a", "Use as A"],
  ["b", "Use as B"],
];

const KEYS =
  "Keys: arrows move, Enter takes an image as A, Shift and Enter as B, Space opens, digits jump. A and B can be mixed.";

export class WallMode {
  /** What a click on a face does.
   * @type {Deed} */
  #deed = "open";
  #message = "";

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.grid = new WallGrid(
      player,
      (index) => this.#use(this.#current, index),
      (deed, index) => this.#use(deed, index),
    );
  }

  /** What a click does now. */
  get #current() {
    return this.player.state.isPickingB ? "b" : this.#deed;
  }

  template() {
    return html`<div class="stack wall-mode">
      <div class="row wall-controls">${this.#controls()}</div>
      <div class="row wall-controls">${this.#deeds()} ${this.#pair()}</div>
      <p class="hint" role="status">
        ${this.#message || (this.player.state.isPickingB ? "Click the image to mix with A." : KEYS)}
      </p>
      ${this.grid.template()}
    </div>`;
  }

  #controls() {
    const { seed, count, order } = this.player.state.wall;
    const classes = this.player.classNames;
    const orders = [
      ["cycle", "in turn"],
      ["classes", "class by class"],
      ...classes.map((name) => [`only ${name}`, `only ${name}`]),
    ];
    return html`<label class="field"
        ><span>Seed</span>
        <input
          type="number"
          min="0"
          step="1"
          .value=${String(seed)}
          @change=${(/** @type {InputEvent} */ { target }) => this.#setSeed(target)}
      /></label>
      <label class="field"
        ><span>Images</span>
        <select @change=${(/** @type {SelectEvent} */ { target }) => this.#set({ count: Number(target.value) })}>
          ${WALL_COUNTS.map((n) => html`<option value=${n} ?selected=${n === count}>${n.toLocaleString("en")}</option>`)}
        </select></label
      >
      ${
        classes.length > 1
          ? html`<label class="field"
              ><span>Classes</span>
              <select @change=${(/** @type {SelectEvent} */ { target }) => this.#set({ order: target.value })}>
                ${orders.map(
                  ([value, label]) => html`<option value=${value} ?selected=${value === order}>${label}</option>`,
                )}
              </select></label
            >`
          : nothing
      }
      <button type="button" @click=${() => this.#set({ seed: randomSeed() })}>Another seed</button>`;
  }

  #deeds() {
    return html`<div class="chips" role="group" aria-label="What a click does">
      ${DEEDS.map(
        ([deed, label]) =>
          html`<button
            type="button"
            class="chip"
            aria-pressed=${this.#current === deed ? "true" : "false"}
            @click=${() => this.#choose(deed)}
          >
            ${label}
          </button>`,
      )}
    </div>`;
  }

  #pair() {
    const { a, b } = this.player.state;
    return html`<div class="row pair">
      ${this.#small("A", a)} ${b ? this.#small("B", b) : nothing}
      ${
        b
          ? html`<a class="button" href=${playLink(this.player, { mode: "one", between: 0.5 })}>Mix A and B</a>`
          : nothing
      }
    </div>`;
  }

  /**
   * @param {string} name
   * @param {Face} face
   */
  #small(name, face) {
    const { model, state, classNames } = this.player;
    return html`<figure class="small-face">
      <face-image .model=${model} .point=${pointOfFace(face, state, classNames)}></face-image>
      <figcaption>${name}</figcaption>
    </figure>`;
  }

  /** @param {HTMLInputElement} input */
  #setSeed(input) {
    const seed = Math.floor(input.valueAsNumber);
    if (Number.isSafeInteger(seed) && seed >= 0) this.#set({ seed });
    else input.value = String(this.player.state.wall.seed);
  }

  /** @param {Partial<import("./play_state.js").PlayState["wall"]>} part */
  #set(part) {
    this.player.set({ wall: { ...this.player.state.wall, ...part } });
  }

  /** @param {Deed} deed */
  #choose(deed) {
    this.#deed = deed;
    this.#message = "";
    if (this.player.state.isPickingB) this.player.set({ isPickingB: false });
    else this.player.refresh();
  }

  /**
   * @param {Deed} deed
   * @param {number} index
   */
  #use(deed, index) {
    const face = this.grid.face(index);
    this.#message = `${deed.toUpperCase()} is image ${index} of seed ${this.player.state.wall.seed}.`;
    if (deed === "b" && this.player.state.isPickingB) {
      this.player.set({ mode: "one", b: face, between: 0.5, classes: null, isPickingB: false });
      return;
    }
    if (deed === "a") this.player.set({ a: face, classes: null });
    else if (deed === "b") this.player.set({ b: face, classes: null });
    else this.player.set({ mode: "one", a: face, between: 0, classes: null, isPickingB: false });
  }

  /** @param {HTMLElement} root */
  mounted(root) {
    this.grid.mounted(root);
  }

  moved() {}

  rested() {}

  close() {
    this.grid.close();
  }
}
