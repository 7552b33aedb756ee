/** The panel Look: truncation, sliders with a measured meaning, and directions that the user may name. */

import { html, nothing } from "../../vendor/lit-html.js";
import { slider } from "../../components/slider.js";
import { cleanName, keepNames } from "./direction_names.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("../../live/live.js").LiveModel["sliders"][number]} Slider */

const STRIP = [-3, -1.5, 0, 1.5, 3];
const SHOWN_AT_FIRST = 12;

export class LookPanel {
  /** Name of the slider that the strip explains. */
  #explained = "";
  #renamed = "";
  #isLong = false;

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.#explained = Object.keys(player.state.shift)[0] ?? player.model.sliders[0]?.name ?? "";
  }

  template() {
    const { sliders } = this.player.model;
    const shown = this.#isLong ? sliders : sliders.slice(0, SHOWN_AT_FIRST);
    return html`<section class="panel" aria-labelledby="look-heading">
      <div class="panel-head">
        <h3 id="look-heading">Look</h3>
        <button type="button" class="quiet" @click=${() => this.player.set({ shift: {}, truncation: 1 })}>Reset</button>
      </div>
      ${this.#strip(sliders.find(({ name }) => name === this.#explained))}
      <div class="sliders">${this.#truncation()}${shown.map((named) => this.#slider(named))}</div>
      ${
        sliders.length > SHOWN_AT_FIRST && !this.#isLong
          ? html`<button type="button" class="quiet own-width" @click=${() => this.#showAll()}>More directions</button>`
          : nothing
      }
      ${sliders.length ? nothing : html`<p class="hint">This model has no named sliders yet.</p>`}
    </section>`;
  }

  #truncation() {
    return slider({
      name: "truncation",
      label: "Truncation",
      value: this.player.state.truncation,
      min: 0,
      max: 1.5,
      step: 0.05,
      format: (value) => value.toFixed(2),
      onInput: (truncation) => this.player.move({ truncation }),
    });
  }

  /** @param {Slider} named */
  #slider(named) {
    const explain = () => this.#explain(named.name);
    return html`<div @focusin=${explain} @pointerenter=${explain}>
      ${slider({
        name: named.name,
        label: capitalised(this.#label(named.name)),
        value: this.player.state.shift[named.name] ?? 0,
        min: named.low,
        max: named.high,
        step: 0.1,
        format: signed,
        describedBy: this.#explained === named.name ? "slider-meaning" : undefined,
        onInput: (value) => this.#shift(named.name, value),
      })}
    </div>`;
  }

  /**
   * Return five images along the slider that the user looks at, with what the slider does.
   * @param {Slider | undefined} named
   */
  #strip(named) {
    if (!named) return nothing;
    return html`<div class="strip">
      <div class="row spread">
        <p class="hint" id="slider-meaning">${meaningOf(named, this.#label(named.name))}</p>
        ${named.kind === "direction" ? this.#naming(named.name) : nothing}
      </div>
      <div class="faces five">
        ${STRIP.filter((sigmas) => sigmas >= named.low && sigmas <= named.high).map((sigmas) =>
          this.#stripFace(named.name, sigmas),
        )}
      </div>
    </div>`;
  }

  /**
   * @param {string} name
   * @param {number} sigmas
   */
  #stripFace(name, sigmas) {
    const { model, point, state } = this.player;
    const shift = withoutZeros({ ...state.shift, [name]: sigmas });
    return html`<button
      type="button"
      class="face"
      aria-label=${`Set ${this.#label(name)} to ${signed(sigmas)}`}
      @click=${() => this.player.set({ shift })}
    >
      <face-image .model=${model} .point=${{ ...point, shift }}></face-image>
      <span aria-hidden="true">${signed(sigmas)}</span>
    </button>`;
  }

  /** @param {string} name */
  #naming(name) {
    if (this.#renamed !== name) {
      return html`<button type="button" class="quiet" @click=${() => this.#startNaming(name)}>Name it</button>`;
    }
    return html`<input
      class="naming"
      maxlength="40"
      placeholder="Your name for it"
      aria-label=${`Your name for ${name}`}
      .value=${this.player.state.names[name] ?? ""}
      @change=${(/** @type {Event & {target: HTMLInputElement}} */ { target }) => this.#rename(name, target.value)}
      @blur=${() => this.#stopNaming()}
      @keydown=${(/** @type {KeyboardEvent} */ { key }) => (key === "Escape" ? this.#stopNaming() : undefined)}
    />`;
  }

  /**
   * @param {string} name
   * @param {number} sigmas
   */
  #shift(name, sigmas) {
    this.player.move({ shift: withoutZeros({ ...this.player.state.shift, [name]: sigmas }) });
  }

  /** @param {string} name */
  #explain(name) {
    if (this.#explained === name) return;
    this.#explained = name;
    this.player.refresh();
  }

  #showAll() {
    this.#isLong = true;
    this.player.refresh();
  }

  /** @param {string} name */
  #label(name) {
    return this.player.state.names[name] ?? name;
  }

  /** @param {string} name */
  #startNaming(name) {
    this.#renamed = name;
    this.player.refresh();
    /** @type {HTMLInputElement | null} */ (document.querySelector(".naming"))?.focus();
  }

  #stopNaming() {
    if (!this.#renamed) return; // the field also loses the focus when it is removed
    this.#renamed = "";
    this.player.refresh();
  }

  /**
   * @param {string} name
   * @param {string} text empty to forget the own name
   */
  #rename(name, text) {
    const { [name]: _, ...names } = this.player.state.names;
    const own = cleanName(text);
    if (own) names[name] = own;
    keepNames(this.player.entry.sha256, names);
    this.#renamed = "";
    this.player.set({ names });
  }
}

/**
 * Return what a slider does, with the share of the variance that it explains.
 * @param {Slider} slider
 * @param {string} label
 */
function meaningOf(slider, label) {
  const percent = Math.round(100 * slider.r2);
  if (slider.kind === "direction") {
    return `${capitalised(label)}: a direction in which the images vary most. It predicts ${percent} % of that variation (R² ${slider.r2.toFixed(2)}).`;
  }
  return `${capitalised(label)}: measured in the pixels. The slider predicts ${percent} % of it (R² ${slider.r2.toFixed(2)}).`;
}

/** @param {Record<string, number>} shift */
function withoutZeros(shift) {
  return Object.fromEntries(Object.entries(shift).filter(([, sigmas]) => sigmas));
}

/** @param {number} value */
function signed(value) {
  return value > 0 ? `+${value.toFixed(1)}` : value.toFixed(1).replace("-", "−");
}

/** @param {string} text */
function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
