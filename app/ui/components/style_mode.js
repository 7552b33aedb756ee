/** The choice of the way in which images take a style. */

import { html } from "../vendor/lit-html.js";
import { choice } from "./controls.js";

const LABELS = { standard: "Standard", distilled: "Distilled" };
/** @type {Record<string, string>} */
const HINTS = {
  standard: "Each image is optimised by itself, which takes seconds.",
  distilled: "The model learns the style for minutes at first. Then images in the style are as fast as plain ones.",
};

/**
 * Return the choice of the mode.
 * @param {string} mode
 * @param {(mode: string) => void} onChange
 */
export function styleModeChoice(mode, onChange) {
  return choice("Mode", mode, LABELS, onChange);
}

/**
 * Return what a mode does and how long it takes.
 * @param {string} mode
 */
export function styleModeHint(mode) {
  return html`<p class="hint">${HINTS[mode]}</p>`;
}
