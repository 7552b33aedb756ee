import { html, render } from "../vendor/lit-html.js";

export const title = "Models";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Models</h2>`, context.root);
}
