// What a user can do with a job: cancel, retry, rebuild, extend, delete and download it.

import { html, nothing, render } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { problemMessage } from "../../shell/problem.js";
import { send } from "../../shell/api.js";
import { archiveSuffix, archiveUrl, isExpired, title } from "./job_text.js";

/** @import { Job } from "./job_text.js" */

/**
 * @typedef {object} Actions
 * @property {(job: Job) => void} onJob is called with the changed or the new job
 * @property {(text: string) => void} announce
 */

/**
 * Return the buttons for a job.
 * @param {Job} job
 * @param {Actions} actions
 */
export function jobActions(job, actions) {
  const has = job.state === "succeeded" && !isExpired(job);
  const mayRetry = job.state === "failed" || job.state === "cancelled";
  const name = title(job);
  const download = `Download ${archiveSuffix(job).toUpperCase()}`;
  /** @param {string} verb @param {string} label */
  const button = (verb, label) =>
    html`<button aria-label=${`${label}, ${name}`} @click=${() => void act(job, verb, actions)}>${label}</button>`;
  return html`<div class="row job-actions">
    ${
      has || !job.done
        ? html`<a class="button" href=${archiveUrl(job)} download aria-label=${`${download}, ${name}`}>${download}</a>`
        : nothing
    }
    ${job.done ? nothing : button("cancel", "Cancel")} ${mayRetry ? button("retry", "Retry") : nothing}
    ${isExpired(job) ? button("rebuild", "Rebuild") : nothing}
    ${
      has
        ? html`<button aria-label=${`Extend…, ${name}`} @click=${() => askToExtend(job, actions)}>Extend…</button>
            <button class="quiet" aria-label=${`Delete…, ${name}`} @click=${() => askToDelete(job, actions)}>
              Delete…
            </button>`
        : nothing
    }
  </div>`;
}

/**
 * Do something with a job. Shows the error in a dialog if it fails.
 * @param {Job} job
 * @param {string} verb
 * @param {Actions} actions
 */
export async function act(job, verb, { onJob, announce }) {
  try {
    const changed = await (await send("POST", job.links[verb] ?? "")).json();
    announce(verb === "cancel" ? "The job was cancelled." : "A new job was made.");
    onJob(changed);
  } catch (error) {
    showProblem(error);
  }
}

/**
 * @param {Job} job
 * @param {Actions} actions
 */
function askToDelete(job, { onJob, announce }) {
  showDialog(
    (close) =>
      html`<h3>Remove the images of ${title(job)}?</h3>
        <p>
          All ${countText(job.n)} images go now. The job stays in the list, and Rebuild makes the same images again.
        </p>
        <div class="row">
          <button
            class="danger"
            @click=${async () => {
              close();
              try {
                onJob(await (await send("DELETE", job.links["self"] ?? "")).json());
                announce("The images were removed.");
              } catch (error) {
                showProblem(error);
              }
            }}
          >
            Remove images
          </button>
          <button @click=${close}>Keep them</button>
        </div>`,
  );
}

/**
 * @param {Job} job
 * @param {Actions} actions
 */
function askToExtend(job, { onJob, announce }) {
  showDialog(
    (close) =>
      html`<form
        class="stack"
        @submit=${async (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
          close();
          try {
            const query = { n: String(form.get("n")) };
            onJob(await (await send("POST", job.links["extend"] ?? "", { query })).json());
            announce("A new job was made.");
          } catch (error) {
            showProblem(error);
          }
        }}
      >
        <h3>Add images to ${title(job)}</h3>
        <p>The new job has all ${countText(job.n)} images and these. Only the new ones are rendered.</p>
        <label class="field"
          ><span>How many more</span><input name="n" type="number" min="1" max="100000" value=${String(job.n)} required
        /></label>
        <div class="row">
          <button class="primary">Extend</button>
          <button type="button" @click=${close}>Not now</button>
        </div>
      </form>`,
  );
}

/**
 * Show a dialog until it is closed. `content` gets the function that closes it.
 * @param {(close: () => void) => unknown} content
 */
export function showDialog(content) {
  const dialog = document.createElement("dialog");
  const close = () => dialog.close();
  render(html`<div class="stack">${content(close)}</div>`, dialog);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {unknown} error */
export function showProblem(error) {
  showDialog(
    (close) =>
      html`${problemMessage(error)}
        <div class="row"><button @click=${close}>Close</button></div>`,
  );
}
