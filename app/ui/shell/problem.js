// What a view shows instead of its content: an error, or an empty state.

import { html, nothing } from "../vendor/lit-html.js";
import { Problem } from "./api.js";

/**
 * Return the message for an error, with a button that tries again.
 * @param {unknown} error
 * @param {() => void} [retry]
 */
export function problemMessage(error, retry) {
  const problem = error instanceof Problem ? error : null;
  if (problem?.status === 401) {
    return emptyState(
      "This service needs a key.",
      html`<a class="button primary" href=${`#/key?next=${encodeURIComponent(location.hash)}`}>Enter a key</a>`,
    );
  }
  const text = error instanceof Error ? error.message : String(error);
  return html`<div class="notice bad" role="alert">
    <p>${sentence(text)}</p>
    ${retry ? html`<button @click=${retry}>Try again</button>` : nothing}
  </div>`;
}

/**
 * Return a calm message with something to do.
 * @param {unknown} text
 * @param {unknown} [action]
 */
export function emptyState(text, action = nothing) {
  return html`<div class="empty">
    <p>${text}</p>
    ${action}
  </div>`;
}

/** @param {string} text */
function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
