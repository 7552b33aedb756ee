/** The question before a style is removed. */

import { html, render } from "../../vendor/lit-html.js";

/**
 * Ask whether a style shall be removed.
 * @param {string} name
 * @returns {Promise<boolean>}
 */
export function confirmRemoval(name) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "removal-heading");
  render(
    html`<form method="dialog" class="stack">
      <h3 id="removal-heading">Remove ${name}?</h3>
      <p>Datasets in this style stay. To repeat or extend them, the same picture must be uploaded again.</p>
      <div class="row">
        <button value="remove" class="danger">Remove</button>
        <button value="" autofocus>Keep</button>
      </div>
    </form>`,
    dialog,
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "remove");
    });
  });
}
