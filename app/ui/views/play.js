/** The view Play: one image and its sliders, a wall of faces, a square between four, and models side by side. */

import { emptyState, problemMessage } from "../shell/problem.js";
import { html, render } from "../vendor/lit-html.js";
import { url } from "../shell/api.js";
import { models, onModels } from "../shell/model_list.js";
import { hashOf } from "../shell/router.js";

/** @typedef {import("../shell/view.js").ViewContext} ViewContext */
/** @typedef {import("../shell/view.js").Route} Route */
/** @typedef {import("../shell/model_list.js").Model} Model */
/** @typedef {import("./play/play_page.js").PlayPage} PlayPage */

export const title = "Play";

// These modules load while the service draws the first image.
const liveModule = import("../live/live.js");
const pageModule = import("./play/play_page.js");

/**
 * Show the view.
 * @param {ViewContext} context
 */
export async function show(context) {
  const view = new PlayView(context);
  await view.open(context.route);
  const stopListening = onModels((entries) => view.setModels(entries));
  return {
    update: (/** @type {Route} */ route) => void view.open(route),
    stop: () => {
      stopListening();
      view.close();
    },
  };
}

/** Opens the model that the address names, and shows the reason where it cannot. */
class PlayView {
  /** @type {PlayPage | null} */
  #page = null;
  #turn = 0;
  /** @type {Route} */
  #route;
  #isEmpty = false;

  /** @param {ViewContext} context */
  constructor(context) {
    this.context = context;
    this.#route = context.route;
  }

  /**
   * Show the state that a route describes. Throws Problem if the list of models cannot be read.
   * @param {Route} route
   */
  async open(route) {
    const turn = ++this.#turn;
    this.#route = route;
    const entries = await models();
    if (turn !== this.#turn) return;
    const entry = route.path[1] ? entries.find(({ name }) => name === route.path[1]) : entries[0];
    this.#isEmpty = entries.length === 0;
    // A copied link must show the same model later, even if another one is the default then.
    if (entry && !route.path[1]) history.replaceState(null, "", hashOf(["play", entry.name], route.query));
    if (!entry) this.#showNoModel(entries);
    else if (this.#page?.entry.sha256 === entry.sha256) this.#follow(route.query);
    else await this.#load(entry, entries, turn);
  }

  /**
   * @param {Model} entry
   * @param {Model[]} entries
   * @param {number} turn
   */
  async #load(entry, entries, turn) {
    this.#leavePage();
    const { query } = this.#route;
    render(loadingTemplate(entry, query), this.context.root);
    try {
      const { openModel } = await liveModule;
      const model = await openModel(entry);
      const { PlayPage } = await pageModule;
      if (turn !== this.#turn) {
        model.close();
        return;
      }
      this.context.setTitle(`Play with ${entry.name}`);
      this.#page = new PlayPage(this.context, model, entry, entries);
      this.#follow(query);
    } catch (error) {
      if (turn === this.#turn) this.#showError(error);
    }
  }

  /** @param {URLSearchParams} query */
  #follow(query) {
    try {
      this.#page?.show(query);
    } catch (error) {
      this.#leavePage();
      this.#showError(error);
    }
  }

  /** @param {unknown} error */
  #showError(error) {
    const start = html`<a class="button" href=${hashOf(this.#route.path, { at: "1:0" })}>Start at 1:0</a>`;
    const message = problemMessage(error, () => void this.open(this.#route));
    render(
      html`<h2>Play</h2>
        ${message} ${error instanceof RangeError ? start : ""}`,
      this.context.root,
    );
  }

  /** @param {Model[]} entries */
  #showNoModel(entries) {
    this.#leavePage();
    const others = entries.map(({ name }) => html`<a class="button" href=${hashOf(["play", name])}>${name}</a>`);
    const message = entries.length
      ? emptyState(
          `This service has no model "${this.#route.path[1]}". It may have been removed.`,
          html`<div class="row">${others}</div>`,
        )
      : emptyState("No worker is ready yet. The image appears here as soon as one is.");
    render(
      html`<h2>Play</h2>
        ${message}`,
      this.context.root,
    );
  }

  /**
   * Open the view again when the first models appear.
   * @param {Model[]} entries
   */
  setModels(entries) {
    if (this.#isEmpty && entries.length) void this.open(this.#route);
    else if (entries.length) this.#page?.setModels(entries);
  }

  #leavePage() {
    this.#page?.close();
    this.#page = null;
  }

  close() {
    this.#turn++;
    this.#leavePage();
  }
}

/**
 * Return the stage with the exact image, which the service draws while the browser loads the model.
 * @param {Model} entry
 * @param {URLSearchParams} query
 */
function loadingTemplate(entry, query) {
  const point = new URLSearchParams();
  for (const name of ["at", "classes", "shift", "truncation", "sliders"]) {
    const text = query.get(name);
    if (text) point.set(name, text);
  }
  if (!point.has("at")) point.set("at", "1:0");
  // The stage asks for the exact image by the same address, so the browser has it already.
  const address = url(`images/${encodeURIComponent(entry.name)}/at.png`, point)
    .replace(/%3A/g, ":")
    .replace(/%2C/g, ",");
  return html`<div class="play-head"><h2>Play</h2></div>
    <div class="one" aria-busy="true">
      <div class="left">
        <div class="stage">
          <img alt="" src=${address} />
        </div>
        <p class="mark">Loading ${entry.name}</p>
      </div>
    </div>`;
}
