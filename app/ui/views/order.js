import { html, render } from "../vendor/lit-html.js";

export const title = "Order";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Order</h2>`, context.root);
}
