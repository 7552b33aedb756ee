/** The sentence about time, size and limits of an order. */

import { html, nothing } from "../../vendor/lit-html.js";
import { fieldOf } from "./field_errors.js";
import { byteText, countText, durationText } from "../../components/quantities.js";

/** @typedef {import("./estimate.js").Estimate} Estimate */
/** @typedef {import("../../shell/model_list.js").Model} Model */

/**
 * @param {Estimate} estimate
 * @param {Model} model
 */
export function estimateLine({ costs, problem }, model) {
  if (problem) return html`<p class="notice bad" role=${fieldOf(problem) ? nothing : "alert"}>${problem.detail}</p>`;
  if (!costs) return html`<p class="estimate dim">Estimating …</p>`;
  const { seconds, bytes, tries, quota, disk, hours_kept: hours, notes } = costs;
  return html`<dl class="estimate" aria-live="polite">
      ${
        seconds
          ? html`<div>
                <dt>Ready in</dt>
                <dd>${durationText(seconds.total)}</dd>
              </div>
              ${
                seconds.waiting > 0.5
                  ? html`<div>
                      <dt>of it in line</dt>
                      <dd>${durationText(seconds.waiting)}</dd>
                    </div>`
                  : nothing
              }
              ${
                seconds.learning > 0.5
                  ? html`<div>
                      <dt>of it learning the style</dt>
                      <dd>${durationText(seconds.learning)}</dd>
                    </div>`
                  : nothing
              }`
          : nothing
      }
      ${
        bytes
          ? html`<div>
              <dt>Download</dt>
              <dd>${byteText(bytes.expected)}</dd>
            </div>`
          : nothing
      }
      ${
        tries
          ? html`<div>
              <dt>Images tried</dt>
              <dd>${countText(tries.expected)}</dd>
            </div>`
          : nothing
      }
      ${
        disk.free === null
          ? nothing
          : html`<div>
              <dt>Free disk</dt>
              <dd>${byteText(disk.free)}</dd>
            </div>`
      }
      ${
        quota.images_left === null
          ? nothing
          : html`<div>
              <dt>Left with this key</dt>
              <dd>${countText(quota.images_left)} images</dd>
            </div>`
      }
      <div>
        <dt>Kept for</dt>
        <dd>${hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`}</dd>
      </div>
    </dl>
    ${model.workers === 0 ? html`<p class="hint">No worker has this model now, so the job would wait.</p>` : nothing}
    ${
      notes.length
        ? html`<ul class="hint notes">
            ${notes.map((/** @type {string} */ note) => html`<li>${readable(note)}</li>`)}
          </ul>`
        : nothing
    }`;
}

/**
 * Return time and size in a few words, for the bar of a narrow window.
 * @param {Estimate} estimate
 */
export function estimateSummary({ costs, problem }) {
  if (problem) return html`<p class="make-summary field-error" aria-hidden="true">Not possible so</p>`;
  if (!costs) return nothing;
  const parts = [costs.seconds && durationText(costs.seconds.total), costs.bytes && byteText(costs.bytes.expected)];
  return html`<p class="make-summary dim" aria-hidden="true">${parts.filter(Boolean).join(", ")}</p>`;
}

/** Words for the figures that the notes of the service begin with. */
const FIGURES = [
  ["bytes: ", "Size: "],
  ["seconds: ", "Time: "],
];

/** @param {string} note */
function readable(note) {
  const [name, words] = FIGURES.find(([name]) => note.startsWith(name ?? "")) ?? ["", ""];
  return `${words}${note.slice(name?.length)}.`;
}

/**
 * Return the reason why the order would be refused now; an empty string if it would not.
 * @param {Estimate} estimate
 * @returns {string}
 */
export function refusalOf({ costs }) {
  if (!costs || costs.fits.now) return "";
  const { size, workers, quota, disk } = costs.fits;
  return [size, workers, quota, disk]
    .filter(Boolean)
    .map(({ detail }) => detail)
    .join("; ");
}
