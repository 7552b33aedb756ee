import { html, render } from "../vendor/lit-html.js";

export const title = "Jobs";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Jobs</h2>`, context.root);
}
