/** Labelled native controls. */

import { html } from "../vendor/lit-html.js";

/**
 * Return a choice among named values.
 * @param {string} label
 * @param {string} value
 * @param {Record<string, string>} options labels by value
 * @param {(value: string) => void} onChange
 */
export function choice(label, value, options, onChange) {
  return html`<label class="field">
    <span>${label}</span>
    <select @change=${(/** @type {Event} */ event) => onChange(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${Object.entries(options).map(
        ([name, words]) => html`<option value=${name} .selected=${name === value}>${words}</option>`,
      )}
    </select>
  </label>`;
}

/**
 * Return a field for a whole number. A click selects the number, so that typing replaces it. Text that is no number, or too small a number, changes nothing.
 * @param {string} label
 * @param {number} value
 * @param {number} least
 * @param {(value: number) => void} onChange
 */
export function number(label, value, least, onChange) {
  return html`<label class="field">
    <span>${label}</span>
    <input
      type="number"
      inputmode="numeric"
      min=${least}
      step="1"
      .value=${String(value)}
      @click=${selectAll}
      @input=${(/** @type {Event} */ event) => {
        const { valueAsNumber } = /** @type {HTMLInputElement} */ (event.target);
        if (Number.isSafeInteger(valueAsNumber) && valueAsNumber >= least) onChange(valueAsNumber);
      }}
    />
  </label>`;
}

/**
 * Select the content of a field.
 * @param {Event} event
 */
export function selectAll({ target }) {
  if (target instanceof HTMLInputElement) target.select();
}

/**
 * Return a field for a word.
 * @param {string} label
 * @param {string} value
 * @param {string} placeholder
 * @param {(value: string) => void} onChange
 */
export function text(label, value, placeholder, onChange) {
  return html`<label class="field">
    <span>${label}</span>
    <input
      type="text"
      maxlength="64"
      pattern="[a-z0-9][a-z0-9._\\-]*"
      placeholder=${placeholder}
      .value=${value}
      @input=${(/** @type {Event} */ event) => onChange(/** @type {HTMLInputElement} */ (event.target).value.trim())}
    />
  </label>`;
}
