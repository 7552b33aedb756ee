/** The mode Square: a knob mixes four corners, and a sheet shows the whole square. */

import { html } from "../../vendor/lit-html.js";
import { randomSeed } from "../../live/point.js";
import { insideSquare } from "./mixing.js";
import { faceAt, formatFace, pointOfFace } from "./play_state.js";
import { StagePanel } from "./stage_panel.js";

/** @typedef {import("./player.js").Player} Player */

const SIDE = 9;
const STEP = 0.05;
const PLACES = ["Top left", "Top right", "Bottom left", "Bottom right"];

export class SquareMode {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.stage = new StagePanel(player);
  }

  template() {
    return html`<div class="one">
      <div class="left">${this.stage.template()}</div>
      <div class="right">
        <section class="panel" aria-labelledby="square-heading">
          <div class="panel-head">
            <h3 id="square-heading">Square</h3>
            <button type="button" class="quiet" @click=${() => this.#roll()}>Four other corners</button>
          </div>
          <p class="hint" id="square-keys">
            Drag the knob, or move it by the arrow keys. The corners mix on the sphere.
          </p>
          <div
            class="square"
            data-square
            @pointerdown=${(/** @type {PointerEvent} */ event) => this.#grab(event)}
            @pointermove=${(/** @type {PointerEvent} */ event) => this.#drag(event)}
          >
            <div class="sheet" aria-hidden="true">${this.#sheet()}</div>
            <button
              type="button"
              class="knob"
              data-knob
              aria-describedby="square-keys"
              @keydown=${(/** @type {KeyboardEvent} */ event) => this.#press(event)}
            ></button>
          </div>
          <div class="corners">${PLACES.map((place, number) => this.#corner(place, number))}</div>
          <button type="button" class="primary own-width" @click=${() => this.#open()}>Play on with this image</button>
        </section>
      </div>
    </div>`;
  }

  #sheet() {
    const { model, state, classNames } = this.player;
    return Array.from({ length: SIDE * SIDE }, (_, cell) => {
      const face = insideSquare(
        state.corners,
        [(cell % SIDE) / (SIDE - 1), Math.floor(cell / SIDE) / (SIDE - 1)],
        classNames,
      );
      return html`<face-image .model=${model} .point=${pointOfFace(face, state, classNames)}></face-image>`;
    });
  }

  /**
   * @param {string} place
   * @param {number} number
   */
  #corner(place, number) {
    const { corners } = this.player.state;
    const [seed, index] = corners[number].atoms[0];
    const change = (/** @type {Event & {target: HTMLInputElement}} */ { target }) => {
      const match = /^\s*(\d+)\s*[:\s]\s*(\d+)\s*$/.exec(target.value);
      if (match) this.#setCorner(number, faceAt(Number(match[1]), Number(match[2])));
      else target.value = `${seed}:${index}`;
    };
    return html`<label class="field"
      ><span>${place}</span>
      <input .value=${formatFace(corners[number])} spellcheck="false" autocomplete="off" @change=${change}
    /></label>`;
  }

  /**
   * @param {number} number
   * @param {import("./mixing.js").Face} face
   */
  #setCorner(number, face) {
    this.player.set({
      corners: this.player.state.corners.map((corner, each) => (each === number ? face : corner)),
    });
  }

  #roll() {
    const seed = randomSeed();
    this.player.set({ corners: [0, 1, 2, 3].map((index) => faceAt(seed, index)) });
  }

  #open() {
    const { state, classNames } = this.player;
    this.player.set({ mode: "one", a: insideSquare(state.corners, state.knob, classNames), b: null, between: 0 });
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (!(event.currentTarget instanceof HTMLElement)) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    /** @type {HTMLElement | null} */ (event.currentTarget.querySelector("[data-knob]"))?.focus();
    this.#drag(event);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!(event.currentTarget instanceof HTMLElement) || !event.currentTarget.hasPointerCapture(event.pointerId))
      return;
    const box = event.currentTarget.getBoundingClientRect();
    this.#moveKnob((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [column, row] = steps[/** @type {keyof typeof steps} */ (event.key)];
    this.#moveKnob(this.player.state.knob[0] + column, this.player.state.knob[1] + row);
  }

  /**
   * @param {number} column
   * @param {number} row
   */
  #moveKnob(column, row) {
    const limit = (/** @type {number} */ share) => Math.round(1000 * Math.min(1, Math.max(0, share))) / 1000;
    this.player.move({ knob: [limit(column), limit(row)] });
  }

  #placeKnob() {
    const knob = /** @type {HTMLElement | null} */ (this.root?.querySelector("[data-knob]"));
    if (!knob) return;
    const [column, row] = this.player.state.knob;
    knob.style.left = `${100 * column}%`;
    knob.style.top = `${100 * row}%`;
    knob.ariaLabel = `Knob: ${Math.round(100 * column)} % to the right, ${Math.round(100 * row)} % down`;
  }

  /** @param {HTMLElement} root */
  mounted(root) {
    this.root = root;
    this.stage.mounted(root);
    this.#placeKnob();
  }

  moved() {
    this.#placeKnob();
    this.stage.moved();
  }

  rested() {
    this.stage.rested();
  }

  close() {
    this.stage.close();
  }
}
