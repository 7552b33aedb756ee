/** The sections of an order for its quality and its files. */

import { choice, number, text } from "../../components/controls.js";
import { slider } from "../../components/slider.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { fieldError } from "./field_errors.js";
import { canSelect } from "./order_state.js";
import { whatSection } from "./what_section.js";

/** @typedef {import("./order_page.js").OrderPage} OrderPage */

const FORMATS = { png: "PNG, lossless", webp: "WebP, lossless", jpeg: "JPEG, quality 95", npz: "NumPy arrays" };
const LAYOUTS = {
  imagefolder: "Class folders (ZIP)",
  parquet: "Parquet (Hugging Face)",
  webdataset: "WebDataset (tar)",
};
const SPLITS = { "": "No split", train: "train", validation: "validation", test: "test" };

/** @param {OrderPage} page */
export function optionsSection(page) {
  const { state } = page;
  return html`${qualitySection(page)} ${page.isAboutPoints ? nothing : whatSection(page)}
    <fieldset class="options">
      <legend>Files</legend>
      ${text("Name", state.name, "a-z, 0-9, - and _", (name) => page.change({ name }))}
      ${choice("Format", state.format, FORMATS, (format) => page.change({ format }))}
      ${state.format === "npz" ? nothing : choice("Layout", state.layout, LAYOUTS, (layout) => page.change({ layout }))}
      ${
        state.walk
          ? nothing
          : html`${choice("Split", state.split, SPLITS, (split) => page.change({ split }))}
            ${number("Seed", state.seed, 0, (seed) => page.change({ seed }))}
            ${number("First index", state.start, 0, (start) => page.change({ start }))}`
      }
      ${number("Hours kept", state.ttlHours ?? 168, 1, (ttlHours) => page.change({ ttlHours }))}
      ${fieldError(page, "name", "format", "layout", "split", "seed", "start", "ttl_hours")}
    </fieldset>`;
}

/** @param {OrderPage} page */
function qualitySection(page) {
  const { state, model } = page;
  if (!canSelect(state)) {
    return html`<fieldset>
      <legend>Quality</legend>
      <p class="hint">
        All images stay: the quality gate knows the images of a plain seed only, without truncation and without a point.
      </p>
    </fieldset>`;
  }
  return html`<fieldset>
    <legend>Quality</legend>
    ${
      model.gate
        ? html`${slider({
              label: "Keep the best",
              value: state.keep,
              min: 0.05,
              max: 1,
              step: 0.05,
              format: (value) => `${Math.round(value * 100)} %`,
              onInput: (keep) => page.change({ keep }),
            })}
            <p class="hint">
              Of each class, only the images that look most real stay. Fewer means better, and less varied.
            </p>
            ${box("Leave out copies of training images", state.dropsCopies, (dropsCopies) => page.change({ dropsCopies }))}`
        : html`<p class="hint">This model has no quality gate.</p>`
    }
    ${box("Leave out images that look almost the same", state.distinct !== null, (isOn) =>
      page.change({ distinct: isOn ? 3 : null }),
    )}
    ${fieldError(page, "keep", "copies", "distinct")}
  </fieldset>`;
}

/**
 * @param {string} label
 * @param {boolean} isOn
 * @param {(isOn: boolean) => void} onChange
 */
function box(label, isOn, onChange) {
  return html`<label class="radio">
    <input
      type="checkbox"
      .checked=${isOn}
      @change=${(/** @type {Event} */ event) => onChange(/** @type {HTMLInputElement} */ (event.target).checked)}
    />
    ${label}
  </label>`;
}
