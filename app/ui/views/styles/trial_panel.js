/** The panel of one style: its picture, its options, and four images in it. */

import { codeBlock } from "../../components/code_block.js";
import { problemMessage } from "../../shell/problem.js";
import { durationText } from "../../components/quantities.js";
import { slider } from "../../components/slider.js";
import { url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { choice } from "../../components/controls.js";
import { styleModeChoice, styleModeHint } from "../../components/style_mode.js";
import { styleName } from "./style_names.js";
import { TRIAL_IMAGES, trialRequest } from "./trial.js";

/** @typedef {import("./styles_page.js").StylesPage} StylesPage */
/** @typedef {import("./trial.js").Trial} Trial */
/** @typedef {import("./upload.js").Style} Style */

/** Images that an order in a style starts with. A styled image takes seconds, so this is less than in other orders. */
const FIRST_IMAGES = 20;

/**
 * @param {StylesPage} page
 * @param {Style} style
 */
export function trialPanel(page, style) {
  const { order, trial, models } = page;
  const name = styleName(style);
  const query = {
    model: order.model,
    style: style.id,
    style_mode: order.mode,
    style_strength: String(order.strength),
    n: String(FIRST_IMAGES),
  };
  return html`<section class="trial card stack" aria-labelledby="trial-heading">
    <div class="trial-head">
      <img src=${url(style.thumbnail)} alt=${`The picture ${name}`} />
      <div class="stack">
        <h3 id="trial-heading">${name}</h3>
        <p class="dim">${style.width} x ${style.height} px</p>
        <div class="row">
          <a class="button" href=${hashOf(["order"], query)}>Order in this style</a>
          <button class="quiet" @click=${() => page.remove(style)}>Remove</button>
        </div>
      </div>
    </div>
    ${
      models.length
        ? html`<div class="trial-options">
              ${choice(
                "Model",
                order.model,
                Object.fromEntries(models.map((each) => [each.name, each.name])),
                (model) => page.change({ model }),
              )}
              ${styleModeChoice(order.mode, (mode) => page.change({ mode }))}
            </div>
            ${styleModeHint(order.mode)}
            ${slider({
              label: "Strength",
              name: "strength",
              value: order.strength,
              min: 0,
              max: 1,
              step: 0.05,
              format: (value) => value.toFixed(2),
              onInput: (strength) => page.change({ strength }),
            })}
            <button class="primary" ?disabled=${trial?.isRunning ?? false} @click=${() => page.tryOn()}>
              ${trial?.isRunning ? "Making images …" : `Try on ${TRIAL_IMAGES} images`}
            </button>`
        : html`<p class="dim">No worker is ready yet. You can try the style on as soon as one is.</p>`
    }
    ${trial ? trialResult(page, trial) : nothing}
    ${codeBlock({ method: "POST", path: "generate", json: trialRequest(order) })}
  </section>`;
}

/**
 * @param {StylesPage} page
 * @param {Trial} trial
 */
function trialResult(page, trial) {
  const { job, problem, order } = trial;
  if (problem) {
    return problemMessage(problem, () => page.tryOn());
  }
  if (job?.state === "failed" || job?.state === "cancelled") {
    return problemMessage(new Error(job.error?.message ?? "The job was cancelled"), () => page.tryOn());
  }
  const made = job?.images_committed ?? 0;
  return html`<div class="stack">
    <div class="trial-images" role="group" aria-label="Images without and with the style">
      ${Array.from({ length: TRIAL_IMAGES }, (_, index) => {
        const plain = url(`images/${encodeURIComponent(order.model)}/1/${index}.png`);
        return html`<img src=${plain} alt=${`Image ${index} without the style`} />`;
      })}
      ${Array.from({ length: TRIAL_IMAGES }, (_, index) =>
        job && index < made
          ? html`<a href=${hashOf(["job", job.id], { i: String(index) })}>
              <img src=${url(`jobs/${job.id}/images/${index}.png`)} alt=${`Image ${index} in the style`} />
            </a>`
          : html`<span class="place"></span>`,
      )}
    </div>
    ${trial.isRunning ? trialProgress(trial) : nothing}
  </div>`;
}

/** @param {Trial} trial */
function trialProgress(trial) {
  const { job } = trial;
  const learnt = job?.style_learnt;
  const share = learnt ?? (job && job.images_total ? job.images_done / job.images_total : 0);
  const words =
    job?.state === "queued"
      ? "Waiting in line"
      : learnt !== null && learnt !== undefined && learnt < 1
        ? `Learning the style: ${Math.floor(learnt * 100)} %`
        : `${job?.images_done ?? 0} of ${TRIAL_IMAGES} images`;
  const rest = job?.eta_seconds ? `, about ${durationText(job.eta_seconds)} left` : "";
  return html`<div class="row trial-progress">
    <progress max="1" .value=${share} aria-label="Progress of the trial"></progress>
    <span class="dim" role="status">${words}${rest}</span>
    <button class="quiet small" @click=${() => void trial.cancel()}>Cancel</button>
  </div>`;
}
