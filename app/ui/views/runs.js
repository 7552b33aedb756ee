import { html, render } from "../vendor/lit-html.js";

export const title = "Runs";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Runs</h2>`, context.root);
}
