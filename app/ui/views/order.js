/** The view Order: a dataset by requirement, with samples and its costs before it is made. */

import { emptyState } from "../shell/problem.js";
import { getJson } from "../shell/api.js";
import { models, onModels } from "../shell/model_list.js";
import { html, render } from "../vendor/lit-html.js";
import { OrderPage } from "./order/order_page.js";
import { formatOrder, parseOrder } from "./order/order_state.js";

/** @typedef {import("../shell/view.js").ViewContext} ViewContext */
/** @typedef {import("../shell/view.js").Route} Route */

export const title = "Order a dataset";

/**
 * Show the view. Throws Problem if the service cannot be read.
 * @param {ViewContext} context
 */
export async function show(context) {
  /** @type {OrderPage | null} */
  let page = null;
  const [found, { styles }] = await Promise.all([models(), getJson("styles")]);

  /**
   * @param {import("../shell/model_list.js").Model[]} entries
   * @param {URLSearchParams} query
   */
  function open(entries, query) {
    page?.close();
    page = null;
    if (entries.length === 0) {
      const message = emptyState("No worker is ready yet. The form appears here as soon as one is.");
      render(
        html`<h2>Order a dataset</h2>
          ${message}`,
        context.root,
      );
      return;
    }
    const state = parseOrder(query, entries);
    // A random seed becomes a part of the address at once, so that a reload orders the same images.
    context.setQuery(formatOrder(state));
    page = new OrderPage(context, entries, styles, state);
  }

  open(found, context.route.query);
  const stopListening = onModels((entries) => {
    if (!page && entries.length) open(entries, context.route.query);
  });
  return {
    update: (/** @type {Route} */ route) => open(page?.models ?? [], route.query),
    stop: () => {
      stopListening();
      page?.close();
    },
  };
}
