// The contact sheets of a run under one slider. All sheets have the same latents.

/** @import { RunData } from "./run_data.js" */
import { html, nothing } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { url } from "../../shell/api.js";

/**
 * Return the last sheet at or before a number of images, or the first sheet. Null without sheets.
 * @param {RunData} data
 * @param {number} images
 */
export function sheetAt(data, images) {
  const samples = data.run?.samples ?? [];
  return samples.filter((each) => each <= images).at(-1) ?? samples[0] ?? null;
}

/**
 * @typedef {object} SamplesOptions
 * @property {RunData} data
 * @property {RunData | null} other a second run, whose sheet stands beside
 * @property {number} cursor in images seen
 * @property {number | null} beside images seen at a second sheet of the same run; null without one
 * @property {boolean} isPlaying
 * @property {(images: number) => void} onCursor
 * @property {(images: number | null) => void} onBeside
 * @property {() => void} onPlay
 */

/** @param {SamplesOptions} options */
export function runSamples({ data, other, cursor, beside, isPlaying, onCursor, onBeside, onPlay }) {
  const samples = data.run?.samples ?? [];
  const shown = sheetAt(data, cursor);
  if (shown === null) {
    return html`<p class="dim">No samples yet. The run draws them at the end of an epoch.</p>`;
  }
  const place = samples.indexOf(shown);
  const words = `${countText(shown)} images, sheet ${place + 1} of ${samples.length}`;
  return html`<section class="stack" aria-label="Samples">
    <div class="row scrubber">
      <button aria-pressed=${String(isPlaying)} @click=${onPlay}>${isPlaying ? "Stop" : "Play"}</button>
      <label class="slider">
        <span class="slider-label">Samples after</span>
        <input
          type="range"
          name="sheet"
          min="0"
          max=${Math.max(samples.length - 1, 0)}
          .value=${String(place)}
          aria-valuetext=${words}
          @input=${(/** @type {Event} */ event) =>
            onCursor(samples[Number(/** @type {HTMLInputElement} */ (event.target).value)] ?? 0)}
        />
        <output>${words}</output>
      </label>
      <button @click=${() => onBeside(beside === null ? shown : null)}>
        ${beside === null ? "Keep beside" : "Remove the second"}
      </button>
    </div>
    <div class=${beside !== null || other ? "sheets two" : "sheets"}>
      ${sheet(data, shown)} ${beside === null ? nothing : sheet(data, sheetAt(data, beside))}
      ${other ? sheet(other, sheetAt(other, cursor)) : nothing}
    </div>
  </section>`;
}

/**
 * @param {RunData} data
 * @param {number | null} images
 */
function sheet(data, images) {
  if (images === null) {
    return html`<p class="dim">Run ${data.number} has no samples.</p>`;
  }
  const words = `Run ${data.number} after ${countText(images)} images`;
  return html`<figure class="sheet">
    <img src=${url(`runs/${data.number}/samples/${images}.png`)} alt=${`Samples: ${words}`} />
    <figcaption class="dim">${words}</figcaption>
  </figure>`;
}
