// A labelled range input with its value as text.

import { html, nothing } from "../vendor/lit-html.js";

/**
 * @typedef {object} SliderOptions
 * @property {string} label
 * @property {number} value
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => void} onInput
 * @property {string} [text] the value as the user reads it, such as "35 %"
 * @property {string} [hint] a longer explanation
 * @property {string} [name] for tests and for views that update the slider without a template
 */

/**
 * Return a slider.
 * @param {SliderOptions} options
 */
export function slider({ label, value, min, max, step, onInput, text, hint, name }) {
  const words = text ?? String(value);
  return html`<label class="slider" title=${hint ?? nothing}>
    <span class="slider-label">${label}</span>
    <input
      type="range"
      min=${min}
      max=${max}
      step=${step}
      .value=${String(value)}
      name=${name ?? nothing}
      aria-valuetext=${words}
      @input=${(/** @type {Event} */ event) => onInput(Number(/** @type {HTMLInputElement} */ (event.target).value))}
    />
    <output>${words}</output>
  </label>`;
}
