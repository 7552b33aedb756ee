// The elements of the gallery: the place of the controls, the grid and a hint.

import { html } from "../../vendor/lit-html.js";

export function frame() {
  return html`<section class="gallery" aria-label="Images">
    <div class="gallery-tools"></div>
    <div
      class="image-grid"
      role="grid"
      tabindex="0"
      aria-label="Images of this job"
      aria-multiselectable="true"
      aria-describedby="grid-help"
    ></div>
    <p class="hint" id="grid-help">
      Arrows move, <kbd>X</kbd> throws out, <kbd>Shift</kbd> and arrows a range, <kbd>Enter</kbd> opens,
      <kbd>Home</kbd> and <kbd>End</kbd> jump.
    </p>
  </section>`;
}
