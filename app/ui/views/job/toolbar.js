// The controls above the grid: size, go to, class, order, and the images that were thrown out.

import { html, nothing } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { slider } from "../../components/slider.js";
import { hashOf } from "../../shell/router.js";

/** @import { Job } from "../jobs/job_text.js" */
/** @import { Filter } from "./image_list.js" */

export const MIN_SIZE = 48;
export const MAX_SIZE = 256;
const SIZE_STEP = 16;

/**
 * @typedef {object} Toolbar
 * @property {Job} job
 * @property {string[]} classes
 * @property {number} size
 * @property {Filter} filter
 * @property {import("./picks.js").Picks} picks
 * @property {boolean} isReplacing
 * @property {(size: number) => void} onSize
 * @property {(index: number) => void} onGoTo
 * @property {(filter: Partial<Filter>) => void} onFilter
 * @property {() => void} onUndo
 * @property {() => void} onReplace
 */

/** @param {Toolbar} bar */
export function toolbar(bar) {
  const { job, filter } = bar;
  const hasScores = (job.keep !== null || job.copies === "drop") && job.state === "succeeded";
  return html`<div class="gallery-bar">
    ${slider({
      label: "Size",
      name: "size",
      value: bar.size,
      min: MIN_SIZE,
      max: MAX_SIZE,
      step: SIZE_STEP,
      text: `${bar.size} px`,
      onInput: bar.onSize,
    })}
    <label class="row"
      ><span class="dim">Go to</span
      ><input
        type="number"
        min="0"
        name="go-to"
        placeholder="index"
        aria-label="Go to the image of an index"
        @change=${(/** @type {Event} */ event) =>
          bar.onGoTo(Number(/** @type {HTMLInputElement} */ (event.target).value))}
    /></label>
    ${
      bar.classes.length > 1 && !job.class
        ? choice("Class", filter.className, [["", "all"], ...bar.classes.map(same)], (className) =>
            bar.onFilter({ className }),
          )
        : nothing
    }
    ${
      hasScores
        ? choice(
            "Order",
            filter.sort,
            [
              ["index", "by index"],
              ["best", "best first"],
              ["worst", "worst first"],
            ],
            (sort) => bar.onFilter({ sort }),
          )
        : nothing
    }
    ${choice(
      "Show",
      filter.show,
      [
        ["all", "all"],
        ["kept", "kept"],
        ["excluded", "thrown out"],
      ],
      (show) => bar.onFilter({ show }),
    )}
    <span class="row gallery-picks">
      ${bar.picks.excluded.size > 0 ? replacing(bar) : nothing}
      ${bar.picks.history.length > 0 ? html`<button class="quiet" @click=${bar.onUndo}>Undo</button>` : nothing}
    </span>
  </div>`;
}

/** @param {Toolbar} bar */
function replacing({ job, picks, isReplacing, onReplace }) {
  const [count, replacement] = [countText(picks.excluded.size), picks.replacementOf(job)];
  if (replacement) {
    return html`<span role="status"
      >${count} replaced in <a href=${hashOf(["job", replacement.id])}>this newer job</a></span
    >`;
  }
  return html`<span role="status">${count} thrown out</span>
    <button
      class="primary"
      ?disabled=${job.state !== "succeeded"}
      aria-disabled=${String(isReplacing)}
      @click=${onReplace}
    >
      ${isReplacing ? "Replacing…" : `Replace ${count}`}
    </button>`;
}

/**
 * @param {string} label
 * @param {string} value
 * @param {string[][]} options value and words of each
 * @param {(value: string) => void} onChange
 */
function choice(label, value, options, onChange) {
  return html`<label class="row"
    ><span class="dim">${label}</span
    ><select
      name=${label.toLowerCase()}
      aria-label=${label}
      @change=${(/** @type {Event} */ event) => onChange(/** @type {HTMLSelectElement} */ (event.target).value)}
    >
      ${options.map(([each, words]) => html`<option value=${each ?? ""} .selected=${each === value}>${words}</option>`)}
    </select></label
  >`;
}

/** @param {string} name */
function same(name) {
  return [name, name];
}
