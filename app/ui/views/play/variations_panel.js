/** The panel More like this: eight variations of the face on the stage. */

import { html } from "../../vendor/lit-html.js";
import { slider } from "../../components/slider.js";
import { orderLink } from "./links.js";
import { vary } from "./mixing.js";
import { faceOf, pointOfFace } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */

const VARIATIONS = [0, 1, 2, 3, 4, 5, 6, 7];

export class VariationsPanel {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
  }

  template() {
    const { state } = this.player;
    return html`<section class="panel variations" aria-labelledby="variations-heading">
      <div class="panel-head">
        <h3 id="variations-heading">More like this</h3>
        <button type="button" class="quiet" @click=${() => this.player.set({ variationSeed: state.variationSeed + 1 })}>
          Eight others
        </button>
      </div>
      <div class="faces eight">${VARIATIONS.map((index) => this.#variation(index))}</div>
      ${slider({
        name: "spread",
        label: "How far",
        value: state.spread,
        min: 0.05,
        max: 1,
        step: 0.05,
        format: (value) => value.toFixed(2),
        onInput: (spread) => this.player.move({ spread }),
      })}
      <a class="button" href=${orderLink(this.player)}>Order images like this</a>
    </section>`;
  }

  /** @param {number} index */
  #variation(index) {
    const { model, state, classNames } = this.player;
    const face = vary(faceOf(state, classNames), state.spread, state.variationSeed, index, classNames);
    const take = () => this.player.set({ a: face, b: null, between: 0, variationSeed: state.variationSeed + 1 });
    return html`<button type="button" class="face" aria-label=${`Take variation ${index + 1}`} @click=${take}>
      <face-image .model=${model} .point=${pointOfFace(face, state, classNames)}></face-image>
    </button>`;
  }
}
