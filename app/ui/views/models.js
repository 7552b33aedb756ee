// The view Models: a table of all models, and a page for each.

import { codeBlock } from "../components/code_block.js";
import { emptyState, problemMessage } from "../components/problem.js";
import { models } from "../shell/model_list.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { readCard } from "./models/model_card.js";
import { ModelPage } from "./models/model_page.js";
import { modelTable } from "./models/model_table.js";

/** @import { Token } from "../components/markdown.js" */
/** @import { Model } from "../shell/model_list.js" */
/** @import { Route, ViewContext } from "../shell/view.js" */

export const title = "Models";

/** Speeds, workers and models change while the view is open. */
const REFRESH_MS = 5000;

/**
 * Show the view. Throws Problem if the models cannot be read.
 * @param {ViewContext} context
 */
export async function show(context) {
  const { root } = context;
  const ending = new AbortController();
  /** @type {Map<string, Token[]>} */
  const cards = new Map();
  /** @type {ModelPage | null} */
  let page = null;
  /** @type {unknown} */
  let problem = null;
  let wanted = context.route.path[1] ?? "";
  let found = await models({ isFresh: true });

  async function refresh() {
    try {
      found = await models({ isFresh: true });
      problem = null;
    } catch (error) {
      problem = error;
    }
    draw();
  }

  /** @param {Model[]} list */
  async function readCards(list) {
    const unread = list.filter(({ sha256 }) => !cards.has(sha256));
    await Promise.all(
      unread.map(async (model) => {
        cards.set(model.sha256, []);
        cards.set(model.sha256, await readCard(model, ending.signal).catch(() => [])); // the table works without it
      }),
    );
    if (unread.length) {
      draw();
    }
  }

  function draw() {
    if (ending.signal.aborted) {
      return;
    }
    const model = found.find(({ name }) => name === wanted);
    if (page && page.model.sha256 === model?.sha256) {
      page.update(model);
      return;
    }
    page?.close();
    page = null;
    if (model) {
      context.setTitle(model.name);
      page = new ModelPage(root, model);
      return;
    }
    context.setTitle(title);
    render(list(), root);
    void readCards(found);
  }

  function list() {
    return html`<h2>Models</h2>
      ${problem ? problemMessage(problem, () => void refresh()) : nothing}
      ${wanted ? html`<p class="notice bad" role="alert">No worker has announced a model "${wanted}".</p>` : nothing}
      ${
        found.length
          ? modelTable(found, cards)
          : emptyState("No worker yet. Models appear here as soon as a worker has announced them.")
      }
      ${codeBlock({ method: "GET", path: "models", command: "imagemill models" })}`;
  }

  draw();
  const timer = setInterval(() => document.visibilityState === "visible" && void refresh(), REFRESH_MS);
  return {
    /** @param {Route} route */
    update: (route) => {
      wanted = route.path[1] ?? "";
      draw();
      root.querySelector("h2")?.focus();
    },
    stop: () => {
      ending.abort();
      clearInterval(timer);
      page?.close();
    },
  };
}
