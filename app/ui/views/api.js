import { html, render } from "../vendor/lit-html.js";

export const title = "API";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>API</h2>`, context.root);
}
