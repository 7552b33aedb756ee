/** Errors of the service at the field of an order that they are about. */

import { Problem } from "../../shell/api.js";
import { html, nothing } from "../../vendor/lit-html.js";

/** @typedef {import("./order_page.js").OrderPage} OrderPage */

/** Parameters of POST /generate that have a field in the form. */
const FIELDS = new Set(
  ["n", "class", "classes", "around", "between", "truncation", "style", "style_mode", "style_strength"].concat([
    "keep",
    "copies",
    "distinct",
    "format",
    "layout",
    "name",
    "split",
    "seed",
    "start",
    "ttl_hours",
  ]),
);

/**
 * Words that replace a regular expression.
 * @type {Record<string, string>}
 */
const WORDS = { name: "name: use a to z, 0 to 9, - and _, and begin with a letter or a digit" };

/**
 * Return the parameter that a problem is about; an empty string if it is about none of the form.
 * The detail of such a problem begins with the name of the parameter and a colon.
 * @param {unknown} problem
 */
export function fieldOf(problem) {
  if (!(problem instanceof Problem)) return "";
  const name = /^([a-z_]+)[^:\s]*: /.exec(problem.detail)?.[1] ?? "";
  return FIELDS.has(name) ? name : "";
}

/**
 * Return the error of the service about one of these parameters.
 * @param {OrderPage} page
 * @param {string[]} names
 */
export function fieldError(page, ...names) {
  const { problem } = page;
  if (!problem || !names.includes(fieldOf(problem))) return nothing;
  const words = WORDS[fieldOf(problem)] ?? problem.message;
  return html`<p class="field-error" data-field=${names[0] ?? ""} role="alert">
    ${words.charAt(0).toUpperCase() + words.slice(1)}.
  </p>`;
}
