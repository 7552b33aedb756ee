import { html, render } from "../vendor/lit-html.js";

export const title = "Play";

/** @param {import("../shell/view.js").ViewContext} context */
export function show(context) {
  render(html`<h2>Play</h2>`, context.root);
}
