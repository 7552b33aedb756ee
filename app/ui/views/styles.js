import { html, render } from "../vendor/lit-html.js";

export const title = "Styles";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Styles</h2>`, context.root);
}
