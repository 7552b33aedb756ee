// The panel that tries a style on: model, mode, strength, costs, and the four images.

import { choice } from "../../components/controls.js";
import { slider } from "../../components/slider.js";
import { durationText } from "../../components/quantities.js";
import { url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { refusalOf } from "../order/estimate_line.js";
import { IMAGES, orderQuery } from "./style_state.js";

/** @import { Model } from "../../shell/model_list.js" */
/** @import { Estimate } from "../order/estimate.js" */
/** @import { StyleState } from "./style_state.js" */
/** @import { Trial } from "./trial.js" */
/** @import { Style } from "./upload.js" */

const MODES = { standard: "Standard: each image by itself", distilled: "Distilled: the model learns the style" };

/**
 * @typedef {object} PanelOptions
 * @property {Style} style
 * @property {string} name
 * @property {StyleState} state
 * @property {Model[]} models
 * @property {Model | undefined} model
 * @property {Trial} trial
 * @property {Estimate} estimate
 * @property {(change: Partial<StyleState>) => void} onChange
 * @property {() => void} onStart
 */

/** @param {PanelOptions} options */
export function trialPanel({ style, name, state, models, model, trial, estimate, onChange, onStart }) {
  const isOpen = trial.isSending || Boolean(trial.job && !trial.job.done);
  return html`<section class="card stack trial-panel" aria-labelledby="trial-heading">
    <div class="trial-head">
      <img src=${url(style.thumbnail)} alt="" />
      <h3 id="trial-heading">Try on ${name}</h3>
    </div>
    ${
      model
        ? html`${choice("Model", model.name, labels(models), (wanted) => onChange({ model: wanted }))}
            ${choice("Mode", state.mode, MODES, (mode) => onChange({ mode: /** @type {"standard"} */ (mode) }))}
            ${slider({
              label: "Strength",
              value: state.strength,
              min: 0,
              max: 1,
              step: 0.05,
              format: (value) => value.toFixed(2),
              onInput: (strength) => onChange({ strength }),
            })}
            ${trial.template(state.seed)}
            <p class="hint">${trial.job ? nothing : costs(estimate)}</p>
            <div class="row">
              ${
                isOpen
                  ? html`<button ?disabled=${!trial.job} @click=${() => void trial.cancel()}>Cancel</button>`
                  : html`<button class="primary" @click=${onStart}>Make ${IMAGES} images</button>`
              }
              <button @click=${() => onChange({ seed: state.seed + 1 })}>Other images</button>
              <a class="button" href=${hashOf(["order"], orderQuery(state, model.name))}>Order in this style</a>
            </div>`
        : html`<p class="dim">No worker is ready yet. A style can be tried on as soon as one is.</p>`
    }
  </section>`;
}

/** @param {Model[]} models */
function labels(models) {
  return Object.fromEntries(models.map(({ name }) => [name, name]));
}

/** @param {Estimate} estimate */
function costs(estimate) {
  const { costs: found, problem } = estimate;
  if (problem) {
    return problem.detail;
  }
  const refusal = refusalOf(estimate);
  if (refusal) {
    return `Not now: ${refusal}`;
  }
  if (!found?.seconds) {
    return found ? "No worker has made images in a style yet, so the time is unknown." : "Estimating …";
  }
  const { total, learning } = found.seconds;
  const learns = learning > 0.5 ? `, ${durationText(learning)} of it to learn the style` : "";
  return `About ${durationText(total)}${learns}.`;
}
