import { html, render } from "../vendor/lit-html.js";

export const title = "Key";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Key</h2>`, context.root);
}
