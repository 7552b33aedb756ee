// The head of the view of a job: what it is, how far it is, and what can be done.

import { html, nothing } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { emptyState } from "../../shell/problem.js";
import { hashOf } from "../../shell/router.js";
import { jobActions } from "../jobs/job_actions.js";
import { details, isExpired, progressText, title, when } from "../jobs/job_text.js";

/** @import { Job } from "../jobs/job_text.js" */
/** @import { Actions } from "../jobs/job_actions.js" */

/**
 * @param {Job} job
 * @param {Actions} actions
 */
export function jobHead(job, actions) {
  const badge = job.state === "succeeded" ? "good" : job.state === "failed" ? "bad" : "";
  return html`<div class="row spread job-head">
      <div>
        <h2>${title(job)}</h2>
        <p class="dim">${details(job).join(" · ")}</p>
      </div>
      ${jobActions(job, actions)}
    </div>
    <div class="row job-progress" role="status">
      <span class=${`badge ${badge}`}>${isExpired(job) ? "removed" : job.state}</span>
      <span class="dim">${progressText(job)}</span>
      ${
        job.expires && job.state === "succeeded" && !isExpired(job)
          ? html`<span class="dim">kept until ${when(job.expires)}</span>`
          : nothing
      }
      ${origin(job)}
    </div>
    ${
      job.done
        ? nothing
        : html`<progress max=${job.images_total} value=${job.images_done} aria-label="Progress of the job"></progress>`
    }`;
}

/** @param {Job} job */
function origin(job) {
  if (job.curates) {
    return html`<span class="dim"
      >like <a href=${hashOf(["job", job.curates])}>this earlier job</a>, with ${countText(job.excluded)} images
      replaced</span
    >`;
  }
  return job.extends
    ? html`<span class="dim">extends <a href=${hashOf(["job", job.extends])}>another job</a></span>`
    : nothing;
}

/**
 * Return what stands in place of the grid; null if the job has images to show.
 * @param {Job} job
 */
export function withoutImages(job) {
  if (isExpired(job)) {
    return emptyState("The images were removed. Rebuild makes the same images again, as a new job.");
  }
  if (job.state === "cancelled") {
    return emptyState("The job was cancelled, and its images were removed. Retry makes them, as a new job.");
  }
  if (job.state === "failed" && !job.images_committed) {
    return emptyState(job.error?.retryable ? "The job failed. A retry may succeed." : "The job failed.");
  }
  return null;
}
