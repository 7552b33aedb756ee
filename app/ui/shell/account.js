// Shows in the header whose key the browser has, and lets it forget the key.

import { html, nothing, render } from "../vendor/lit-html.js";
import { endSession, onSession, readSession } from "./session.js";

/** @param {HTMLElement} place */
export function startAccount(place) {
  async function look() {
    const session = await readSession().catch(() => null);
    render(session?.needs_key ? account(session.owner) : nothing, place);
  }

  onSession(() => void look());
  addEventListener("imagemill:unauthorized", () => void look());
  void look();
}

/** @param {string | null} owner */
function account(owner) {
  if (owner === null) {
    return html`<a href="#/key">Enter a key</a>`;
  }
  return html`<span>${owner}</span> <button class="quiet small" @click=${() => void forget()}>Forget the key</button>`;
}

async function forget() {
  await endSession().catch(() => {});
  location.hash = "#/key";
}
