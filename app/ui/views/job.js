// The view of a job: its images in a grid, from which the user can throw some out.

import { html, render } from "../vendor/lit-html.js";
import { problemMessage } from "../shell/problem.js";
import { getJson } from "../shell/api.js";
import { watchJobs } from "../shell/events.js";
import { hashOf } from "../shell/router.js";
import { Gallery } from "./job/gallery.js";
import { jobHead, withoutImages } from "./job/job_head.js";
import { loadCode } from "./job/load_code.js";
import { title as jobTitle } from "./jobs/job_text.js";

/** @import { Job } from "./jobs/job_text.js" */

export const title = "Job";
const MAY_HAVE_SLEPT_MS = 10_000;

/** @param {import("../shell/view.js").ViewContext} context */
export async function show(context) {
  const { root, announce } = context;
  const id = context.route.path[1] ?? "";
  const ending = new AbortController();
  /** @type {Job | null} */
  let job = null;
  /** @type {Gallery | null} */
  let gallery = null;
  /** @type {unknown} */
  let problem = null;
  let read = 0;
  render(
    html`<div class="stack" id="job-top"></div>
      <div id="job-images"></div>
      <div id="job-code"></div>`,
    root,
  );

  /** @param {string} part */
  function place(part) {
    return /** @type {HTMLElement} */ (root.querySelector(`#job-${part}`));
  }

  /** @param {Job} changed */
  function onJob(changed) {
    if (changed.id !== id) {
      location.hash = hashOf(["job", changed.id]);
      return;
    }
    job = changed;
    problem = null;
    read = Date.now();
    context.setTitle(jobTitle(job));
    draw();
  }

  async function load() {
    try {
      onJob(await getJson(`jobs/${encodeURIComponent(id)}`, { signal: ending.signal }));
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") {
        problem = error;
        draw();
      }
    }
  }

  function draw() {
    const message = problem ? problemMessage(problem, () => void load()) : "";
    if (!job) {
      render(
        html`<h2>Job</h2>
          ${message || html`<p class="dim">Loading…</p>`}`,
        place("top"),
      );
      return;
    }
    render(html`${jobHead(job, { onJob, announce })}${message}`, place("top"));
    render(loadCode(job), place("code"));
    const instead = withoutImages(job);
    if (instead) {
      gallery?.stop();
      gallery = null;
      render(instead, place("images"));
    } else if (gallery) {
      gallery.update(job);
    } else {
      gallery = new Gallery(job, place("images"), context);
    }
  }

  draw();
  const stop = watchJobs((changed) => changed.id === id && onJob(changed));
  const onVisible = () => {
    const isOld = Date.now() - read > MAY_HAVE_SLEPT_MS;
    if (document.visibilityState === "visible" && isOld && !(job?.done && !problem)) {
      void load(); // events were lost while the laptop slept, or the service was away
    }
  };
  document.addEventListener("visibilitychange", onVisible);
  const timer = setInterval(onVisible, MAY_HAVE_SLEPT_MS);
  await load();
  return {
    /** @param {import("../shell/view.js").Route} route */
    update: (route) => gallery?.follow(route.query),
    stop: () => {
      ending.abort();
      stop();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
      gallery?.stop();
    },
  };
}
