/** Form controls of the view Play. */

import { html } from "../../vendor/lit-html.js";

/**
 * @typedef {object} SlideOptions
 * @property {string} name
 * @property {string} label
 * @property {boolean} [hasHiddenLabel]
 * @property {number} value
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => string} [format]
 * @property {string} [describedBy] id of an element that explains the slider
 * @property {(value: number) => void} onInput
 */

/**
 * Return a slider with its value. It updates its own text, so the page need not be rendered while it moves.
 * @param {SlideOptions} options
 */
export function slide({ name, label, hasHiddenLabel, value, min, max, step, format = String, describedBy, onInput }) {
  const move = (/** @type {Event & {currentTarget: HTMLInputElement}} */ { currentTarget }) => {
    showText(currentTarget, format(currentTarget.valueAsNumber));
    onInput(currentTarget.valueAsNumber);
  };
  return html`<label class="slide">
    <span class=${hasHiddenLabel ? "visually-hidden" : "slide-label"}>${label}</span>
    <input
      type="range"
      min=${min}
      max=${max}
      step=${step}
      data-name=${name}
      aria-describedby=${describedBy ?? ""}
      aria-valuetext=${format(value)}
      .value=${String(value)}
      @input=${move}
    />
    <output .textContent=${format(value)}></output>
  </label>`;
}

/**
 * Move a slider whose value changed elsewhere, such as by an animation.
 * @param {HTMLInputElement} input
 * @param {number} value
 * @param {string} text
 */
export function moveSlide(input, value, text) {
  if (input.valueAsNumber === value) return;
  input.value = String(value);
  showText(input, text);
}

/**
 * @param {HTMLInputElement} input
 * @param {string} text
 */
function showText(input, text) {
  input.setAttribute("aria-valuetext", text);
  const output = input.parentElement?.querySelector("output");
  if (output) output.textContent = text;
}
