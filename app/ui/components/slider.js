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
 * @property {(value: number) => string} [format] the text of a value; the slider then updates its text while it moves,
 *   so that a view need not be rendered for each move
 * @property {string} [hint] a longer explanation
 * @property {string} [describedBy] id of an element that explains the slider
 * @property {boolean} [hasHiddenLabel] only screen readers get the label
 * @property {string} [name] for tests and for views that update the slider without a template
 */

/**
 * Return a slider.
 * @param {SliderOptions} options
 */
export function slider(options) {
  const { label, value, min, max, step, onInput, format, hint, describedBy, hasHiddenLabel, name } = options;
  const words = options.text ?? (format ?? String)(value);
  /** @param {Event} event */
  function move(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (format) {
      showText(input, format(input.valueAsNumber));
    }
    onInput(input.valueAsNumber);
  }
  return html`<label class=${hasHiddenLabel ? "slider unlabelled" : "slider"} title=${hint ?? nothing}>
    <span class=${hasHiddenLabel ? "screen-reader" : "slider-label"}>${label}</span>
    <input
      type="range"
      min=${min}
      max=${max}
      step=${step}
      .value=${String(value)}
      name=${name ?? nothing}
      aria-describedby=${describedBy ?? nothing}
      .ariaValueText=${words}
      @input=${move}
    />
    <output .textContent=${words}></output>
  </label>`;
}

/**
 * Move a slider whose value changed elsewhere, such as by an animation, without a template.
 * @param {HTMLInputElement} input
 * @param {number} value
 * @param {string} text
 */
export function moveSlider(input, value, text) {
  if (input.valueAsNumber !== value) {
    input.value = String(value);
    showText(input, text);
  }
}

/**
 * @param {HTMLInputElement} input
 * @param {string} text
 */
function showText(input, text) {
  input.ariaValueText = text;
  const output = input.parentElement?.querySelector("output");
  if (output) {
    output.textContent = text;
  }
}
