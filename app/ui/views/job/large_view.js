// One image, large, with its facts and what can be done with it.

import { html, nothing, render } from "../../vendor/lit-html.js";
import { copyText } from "../../components/copy.js";
import { problemMessage } from "../../shell/problem.js";
import { getJson, url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";

/** @import { Job } from "../jobs/job_text.js" */

const SHOWN_HASH = 12;
const SPREAD = "0.35";

/**
 * @typedef {object} LargeView
 * @property {() => number} position
 * @property {(position: number) => number | null} indexAt null beyond the images
 * @property {(position: number) => void} moveTo
 * @property {(index: number) => boolean} isExcluded
 * @property {(position: number) => void} toggle
 */

/**
 * Open the large view. It follows the arrow keys until it is closed.
 * @param {Job} job
 * @param {LargeView} view
 */
export function openLargeView(job, view) {
  const dialog = document.createElement("dialog");
  dialog.className = "large-view";
  dialog.setAttribute("aria-label", "Image");
  /** @type {any} */
  let facts = null;
  /** @type {unknown} */
  let problem = null;
  let turn = 0;

  async function load() {
    const index = view.indexAt(view.position());
    const mine = ++turn;
    problem = null;
    if (index === null) {
      return;
    }
    try {
      const found = await getJson(`jobs/${job.id}/images/${index}.json`);
      if (mine === turn) {
        facts = found;
      }
    } catch (error) {
      problem = error;
    }
    draw();
  }

  /** @param {number} step */
  function step(step) {
    if (view.indexAt(view.position() + step) !== null) {
      view.moveTo(view.position() + step);
      void load();
    }
  }

  function toggle() {
    view.toggle(view.position());
    draw();
  }

  function draw() {
    render(problem ? problemMessage(problem, () => void load()) : facts ? content() : nothing, dialog);
  }

  function content() {
    const isExcluded = view.isExcluded(facts.index);
    const address = url(facts.address);
    const point = { at: `${facts.seed}:${facts.index}`, ...(facts.class ? { classes: `${facts.class}:1` } : {}) };
    return html`<figure class=${isExcluded ? "excluded" : ""}>
        <img src=${facts.image ? url(facts.image) : address} alt=${`Image ${facts.index}`} class="pixels" />
      </figure>
      <div class="stack">
        <h3>Image ${facts.index}${isExcluded ? ", thrown out" : ""}</h3>
        <dl>
          ${
            facts.class
              ? html`<dt>Class</dt>
                  <dd>${facts.class}</dd>`
              : nothing
          }
          ${
            facts.score === null
              ? nothing
              : html`<dt>Score</dt>
                  <dd>${facts.score} of 1000</dd>`
          }
          <dt>SHA-256</dt>
          <dd><code>${facts.sha256.slice(0, SHOWN_HASH)}…</code> ${copyButton("checksum", facts.sha256)}</dd>
          <dt>Address</dt>
          <dd>
            <a href=${address}>model, seed ${facts.seed}, index ${facts.index}</a>
            ${copyButton("address", address)}
          </dd>
        </dl>
        <div class="row">
          <button @click=${toggle}>${isExcluded ? "Take back" : "Throw out"} <kbd>X</kbd></button>
          <a class="button" href=${hashOf(["play", job.model], point)}>Open in Play</a>
          <a class="button" href=${hashOf(["order"], { model: job.model, ...point, spread: SPREAD })}>More like this</a>
        </div>
        <div class="row">
          <button aria-label="Previous image" @click=${() => step(-1)}>←</button>
          <button aria-label="Next image" @click=${() => step(1)}>→</button>
          <button class="quiet" @click=${() => dialog.close()}>Close <kbd>Esc</kbd></button>
        </div>
      </div>`;
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      step(event.key === "ArrowLeft" ? -1 : 1);
    } else if (event.key === "x") {
      toggle();
    } else {
      return;
    }
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || /** @type {HTMLElement} */ (event.target).closest("a")) {
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  void load();
  return () => dialog.close();
}

/** @param {string} name @param {string} text */
function copyButton(name, text) {
  return html`<button class="quiet" aria-label=${`Copy the ${name}`} @click=${() => copyText(text)}>Copy</button>`;
}
