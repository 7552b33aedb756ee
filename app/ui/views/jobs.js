// The view "Jobs": all jobs of the user, the newest first, with what they do now.

import { html, nothing, render } from "../vendor/lit-html.js";
import { countText, durationText } from "../components/quantities.js";
import { codeBlock } from "../components/code_block.js";
import { emptyState, problemMessage } from "../shell/problem.js";
import { getJson, url } from "../shell/api.js";
import { watchJobs } from "../shell/events.js";
import { hashOf } from "../shell/router.js";
import { act, jobActions } from "./jobs/job_actions.js";
import { details, isExpired, period, progressText, title as jobTitle } from "./jobs/job_text.js";

/** @import { Job } from "./jobs/job_text.js" */

export const title = "Jobs";
const PAGE = 30;
const STATES = ["queued", "running", "succeeded", "failed", "cancelled"];
const CHECK_AFTER_SLEEP_MS = 10_000;

/** @param {import("../shell/view.js").ViewContext} context */
export async function show(context) {
  const { root, setQuery, announce } = context;
  let state = context.route.query.get("state") ?? "";
  let name = context.route.query.get("name") ?? "";
  /** @type {Map<string, Job>} */
  const jobs = new Map();
  /** @type {string | null} */
  let next = null;
  /** @type {unknown} */
  let problem = null;
  let isLoaded = false;
  let isDrawn = true;
  let ending = new AbortController();

  /** @param {Job} job */
  function add(job) {
    const matches = (!state || job.state === state) && (!name || job.name === name);
    if (matches || jobs.has(job.id)) {
      jobs.set(job.id, job);
      drawSoon();
    }
  }

  /** @param {string | null} after */
  async function load(after) {
    try {
      const query = { limit: PAGE, ...filters(), ...(after ? { after } : {}) };
      const page = await getJson("jobs", { query, signal: ending.signal });
      for (const job of page.jobs) {
        jobs.set(job.id, job);
      }
      if (after !== null || next === null) {
        next = page.next;
      }
      problem = null;
      isLoaded = true;
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") {
        return;
      }
      problem = error;
    }
    draw();
  }

  /** @returns {Record<string, string>} */
  function filters() {
    return { ...(state ? { state } : {}), ...(name ? { name } : {}) };
  }

  /**
   * @param {string} wantedState
   * @param {string} wantedName
   */
  function filter(wantedState, wantedName) {
    state = wantedState;
    name = wantedName;
    setQuery(new URLSearchParams(filters()));
    ending.abort();
    ending = new AbortController();
    jobs.clear();
    next = null;
    isLoaded = false;
    draw();
    void load(null);
  }

  function drawSoon() {
    if (isDrawn) {
      isDrawn = false;
      requestAnimationFrame(draw);
    }
  }

  function draw() {
    isDrawn = true;
    const shown = [...jobs.values()].sort((a, b) => (a.created < b.created ? 1 : -1));
    const open = shown.filter((job) => !job.done);
    const actions = { onJob: add, announce };
    render(
      html`<div class="row spread">
          <h2>Jobs</h2>
          <div class="row">
            <label class="row"
              ><span class="dim">Show</span>
              <select
                aria-label="State of the jobs"
                @change=${(/** @type {Event} */ event) =>
                  filter(/** @type {HTMLSelectElement} */ (event.target).value, name)}
              >
                <option value="" ?selected=${state === ""}>all</option>
                ${STATES.map((each) => html`<option value=${each} ?selected=${state === each}>${each}</option>`)}
              </select></label
            >
            <label class="row"
              ><span class="dim">Name</span>
              <input
                type="search"
                class="job-name"
                placeholder="all"
                .value=${name}
                @change=${(/** @type {Event} */ event) =>
                  filter(state, /** @type {HTMLInputElement} */ (event.target).value.trim())}
            /></label>
            ${
              open.length > 1
                ? html`<button @click=${() => open.forEach((job) => void act(job, "cancel", actions))}>
                    Cancel all ${open.length}
                  </button>`
                : nothing
            }
            <a class="button primary" href="#/order">New dataset</a>
          </div>
        </div>
        ${problem ? problemMessage(problem, () => void load(null)) : nothing} ${queueSummary(open)}
        ${list(shown, open, actions)}
        ${next === null ? nothing : html`<button class="older" @click=${() => void load(next)}>Older jobs</button>`}
        ${codeBlock({
          method: "GET",
          path: "jobs",
          query: { limit: "20", ...filters() },
          python: `from app.client import Client\n\nwith Client("${url("").replace(/\/$/, "")}") as client:\n    for job in client.jobs(${state ? `state="${state}"` : ""}):\n        print(job.id, job.state, job.images_done, job.n)`,
          command: `imagemill jobs${state ? ` --state ${state}` : ""}`,
        })}`,
      root,
    );
  }

  /** @param {Job[]} shown @param {Job[]} open @param {import("./jobs/job_actions.js").Actions} actions */
  function list(shown, open, actions) {
    if (shown.length > 0) {
      const periods = [...new Set(shown.map((job) => period(job.created)))];
      return periods.map(
        (each) =>
          html`<h3 class="dim">${each}</h3>
            <ul class="jobs" aria-label=${each}>
              ${shown.filter((job) => period(job.created) === each).map((job) => row(job, open, actions))}
            </ul>`,
      );
    }
    if (problem) {
      return nothing;
    }
    if (!isLoaded) {
      return html`<p class="dim" role="status">Loading…</p>`;
    }
    return emptyState(
      name
        ? `No job has the name "${name}"${state ? ` and is ${state}` : ""}.`
        : state
          ? `No job is ${state}.`
          : "No jobs yet. A job makes a dataset.",
      html`<a class="button primary" href="#/order">Order a dataset</a>`,
    );
  }

  const stop = watchJobs(add);
  let seen = Date.now();
  const timer = setInterval(() => {
    const slept = Date.now() - seen > 2 * CHECK_AFTER_SLEEP_MS;
    seen = Date.now();
    if (slept || problem) {
      void load(null); // events were lost while the laptop slept, or the service was away
    }
  }, CHECK_AFTER_SLEEP_MS);
  const onVisible = () => document.visibilityState === "visible" && void load(null);
  document.addEventListener("visibilitychange", onVisible);
  draw();
  await load(null);
  return {
    /** @param {import("../shell/view.js").Route} route */
    update: (route) => filter(route.query.get("state") ?? "", route.query.get("name") ?? ""),
    stop: () => {
      stop();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
      ending.abort();
    },
  };
}

/** @param {Job[]} open */
function queueSummary(open) {
  const left = open.reduce((sum, job) => sum + job.images_total - job.images_done, 0);
  const speed = open.reduce((sum, job) => sum + (job.images_per_s ?? 0), 0);
  if (open.length === 0) {
    return nothing;
  }
  const time = speed > 0 ? `, about ${durationText(left / speed)}` : "";
  return html`<p class="dim">
    ${open.length === 1 ? "1 job" : `${open.length} jobs`} to do: ${countText(left)} images${time}.
  </p>`;
}

/**
 * @param {Job} job
 * @param {Job[]} open
 * @param {import("./jobs/job_actions.js").Actions} actions
 */
function row(job, open, actions) {
  const isBad = job.state === "failed";
  return html`<li class="job card" data-job=${job.id} data-state=${job.state}>
    <a class="job-picture" href=${hashOf(["job", job.id])} tabindex="-1" aria-hidden="true">${picture(job)}</a>
    <div class="job-words">
      <a class="job-title" href=${hashOf(["job", job.id])}>${jobTitle(job)}</a>
      <span class="dim">${details(job).join(" · ")}</span>
      <span class=${isBad ? "bad-text" : "dim"}>${progressText(job, open)}</span>
      ${
        job.done
          ? nothing
          : html`<progress
              max=${job.images_total}
              value=${job.state === "queued" ? 0 : job.images_done}
              aria-label=${`Progress of ${jobTitle(job)}`}
            ></progress>`
      }
    </div>
    ${jobActions(job, actions)}
  </li>`;
}

/** @param {Job} job */
function picture(job) {
  if (!(job.state === "succeeded" && !isExpired(job))) {
    const share = Math.floor((100 * job.images_done) / job.images_total);
    return html`<span class="job-placeholder">${job.state === "running" ? `${share} %` : nothing}</span>`;
  }
  const sheet = url((job.links["sheet"] ?? "").replace("{k}", "0"));
  const size = job.resolution < 128 ? "small" : "large";
  return html`<img class=${size} src=${sheet} alt="" loading="lazy" decoding="async" />`;
}
