// Tells the user of an open page that the service has been upgraded.

import { html, render } from "../vendor/lit-html.js";
import { getJson } from "./api.js";

let first = "";

/**
 * Compare the version of the service with the first one that the page has seen.
 * @param {string} version
 */
export function noteVersion(version) {
  first ||= version;
  const place = document.getElementById("upgrade");
  if (version !== first && place) {
    render(
      html`<div class="notice">
        <p>The service has a new version. Reload the page to use it.</p>
        <button @click=${() => location.reload()}>Reload</button>
      </div>`,
      place,
    );
  }
}

/** Ask the service for its version. */
export async function askVersion() {
  try {
    noteVersion((await getJson("version")).version);
  } catch {
    // The service is unreachable. The header says so.
  }
}
