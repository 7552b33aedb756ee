import { html, render } from "../vendor/lit-html.js";

export const title = "Job";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Job</h2>`, context.root);
}
