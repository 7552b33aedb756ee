/** The panel Class: the class of each face, one class for all, or a mix of classes. */

import { html, nothing } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { slider } from "../../components/slider.js";
import { classesOf, round } from "./mixing.js";
import { faceOf } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./mixing.js").Shares} Shares */

export class ClassPanel {
  #wantsMix = false;

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
  }

  get #isMixing() {
    const { classes } = this.player.state;
    return classes !== null && (this.#wantsMix || Object.keys(classes).length > 1);
  }

  template() {
    const names = this.player.classNames;
    if (names.length < 2) return nothing;
    const { classes } = this.player.state;
    const only = classes && Object.keys(classes).length === 1 ? Object.keys(classes)[0] : null;
    const own = describeShares(classesOf(faceOf({ ...this.player.state, classes: null }, names), names));
    return html`<section class="panel" aria-labelledby="class-heading">
      <h3 id="class-heading">Class</h3>
      <div class="chips" role="group" aria-label="Class of the image">
        ${this.#chip(`${this.player.state.b ? "From A and B" : "By index"}: ${own}`, !classes && !this.#isMixing, () => this.#choose(null))}
        ${names.map((name) => this.#chip(name, only === name && !this.#isMixing, () => this.#choose({ [name]: 1 })))}
        ${this.#chip("Mix of classes", this.#isMixing, () => this.#startMix())}
      </div>
      ${this.#isMixing ? html`<div class="sliders">${names.map((name) => this.#share(name))}</div>` : nothing}
      ${this.#note()}
    </section>`;
  }

  /**
   * @param {string} label
   * @param {boolean} isPressed
   * @param {() => void} choose
   */
  #chip(label, isPressed, choose) {
    return html`<button type="button" class="chip" aria-pressed=${isPressed ? "true" : "false"} @click=${choose}>
      ${label}
    </button>`;
  }

  /** @param {string} name */
  #share(name) {
    return slider({
      name: `class ${name}`,
      label: name,
      value: this.player.state.classes?.[name] ?? 0,
      min: 0,
      max: 1,
      step: 0.05,
      format: (value) => value.toFixed(2),
      onInput: (value) => this.#setShare(name, value),
    });
  }

  /** @param {Shares | null} classes */
  #choose(classes) {
    this.#wantsMix = false;
    this.player.set({ classes });
  }

  #startMix() {
    const names = this.player.classNames;
    const shares = this.player.state.classes ?? classesOf(faceOf(this.player.state, names), names);
    this.#wantsMix = true;
    this.player.set({
      classes: Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, round(share)])),
    });
  }

  /**
   * Set the weight of a class. The last weight above zero stays: an image has a class.
   * @param {string} name
   * @param {number} weight
   */
  #setShare(name, weight) {
    const weights = { ...this.player.state.classes, [name]: weight };
    const kept = this.player.classNames.flatMap((each) => (weights[each] ? [[each, weights[each]]] : []));
    if (kept.length) this.player.move({ classes: Object.fromEntries(kept) });
  }

  #note() {
    const { entry } = this.player;
    const counts = Object.entries(entry.training_images ?? {});
    const numbers = counts.map(([name, count]) => `${name} ${countText(count)}`).join(", ");
    return html`<details class="note">
      <summary>What a class is, and what it is not</summary>
      <p>
        A class is a label of the training images. A mix blends what the model has learnt about these labels. It does
        not show what a real person or thing would look like. An image may resemble a training image: the card says how
        often that was found.
      </p>
      ${numbers ? html`<p>Training images: ${numbers}. The model draws rare classes less well.</p>` : nothing}
      <p>
        <a href=${`#/models/${encodeURIComponent(entry.name)}`}>Card of ${entry.name}: data, imbalance, likeness</a>
      </p>
    </details>`;
  }
}

/**
 * Return the shares as text, such as "modern" or "modern 65 %, early-20th 35 %".
 * @param {Shares} shares
 */
export function describeShares(shares) {
  const parts = Object.entries(shares).filter(([, share]) => share > 0.005);
  if (parts.length < 2) return parts.map(([name]) => name).join("");
  return parts.map(([name, share]) => `${name} ${Math.round(100 * share)} %`).join(", ");
}
