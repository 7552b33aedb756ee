// Starts the page: the header, the state of the service, and the router.

import { preloadModel } from "./live/preload.js";
import { html, nothing, render } from "./vendor/lit-html.js";
import { startAccount } from "./shell/account.js";
import { keepFocus } from "./shell/focus.js";
import { startHealth } from "./shell/health.js";
import { currentRoute, startRouter } from "./shell/router.js";

const VIEWS = [
  ["play", "Play"],
  ["order", "Order"],
  ["jobs", "Jobs"],
  ["styles", "Styles"],
  ["models", "Models"],
  ["runs", "Runs"],
  ["api", "API"],
];

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Views that start the count of the open jobs. The others load without the event stream. */
const COUNTING_VIEWS = ["order", "jobs", "styles", "models"];

/** Time until the count starts, so that the view loads first. */
const COUNTER_DELAY_MS = 1000;

let openJobs = 0;
let isCounting = false;

/** @param {import("./shell/view.js").Route} route */
function showNavigation(route) {
  const current = route.path[0] === "job" ? "jobs" : route.path[0];
  const links = VIEWS.map(
    ([name, label]) =>
      html`<a href=${`#/${name}`} aria-current=${name === current ? "page" : "false"}
        >${label}${name === "jobs" && openJobs ? jobCount() : nothing}</a
      >`,
  );
  render(links, element("navigation"));
  if (!isCounting && COUNTING_VIEWS.includes(current ?? "")) {
    isCounting = true;
    setTimeout(() => void countJobs(), COUNTER_DELAY_MS);
  }
}

function jobCount() {
  return html` <span class="badge good job-count">${openJobs}<span class="screen-reader"> open</span></span>`;
}

async function countJobs() {
  const { startJobCounter } = await import("./shell/job_counter.js");
  startJobCounter((count) => {
    openJobs = count;
    showNavigation(currentRoute());
  });
}

/** @param {string} text */
function announce(text) {
  element("announcement").textContent = text;
}

// The hash of this link would name a view, so the script moves the focus.
element("skip").addEventListener("click", (event) => {
  event.preventDefault();
  element("main").focus();
});

/** Views whose first image is drawn in the browser. The second part of their addresses may name a model. */
const DRAWING_VIEWS = ["play", "order"];

const { path } = currentRoute();
if (DRAWING_VIEWS.includes(path[0] ?? "")) {
  void preloadModel(path[1]);
}
startRouter(element("main"), announce, showNavigation);
keepFocus(element("main"));
startHealth(element("status"));
startAccount(element("account"));
