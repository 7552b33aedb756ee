/** The fold "Start from an address": seed, index, and an address from elsewhere. */

import { html, nothing } from "../../vendor/lit-html.js";
import { selectAll } from "../../components/controls.js";
import { faceAt, formatFace } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */

export class StartPanel {
  #error = "";

  /**
   * @param {Player} player
   * @param {(model: string | null, query: URLSearchParams) => void} openAddress
   */
  constructor(player, openAddress) {
    this.player = player;
    this.openAddress = openAddress;
  }

  template() {
    const [seed, index] = this.player.state.a.atoms[0];
    const parts = this.player.state.a.atoms.length;
    return html`<details class="panel address" ?open=${this.#error !== ""}>
      <summary>Start from an address</summary>
      <div class="row start">
        ${this.#number("Seed", seed, (value) => faceAt(value, index))}
        ${this.#number("Index", index, (value) => faceAt(seed, value))}
        <form class="row wide" @submit=${(/** @type {SubmitEvent} */ event) => this.#paste(event)}>
          <label class="field wide"
            ><span>Address</span>
            <input
              name="address"
              autocomplete="off"
              spellcheck="false"
              placeholder="Paste a link, or 1:0"
              aria-invalid=${this.#error ? "true" : "false"}
              aria-describedby="address-error"
          /></label>
          <button type="submit">Go</button>
        </form>
      </div>
      ${
        parts > 1
          ? html`<p class="hint">A mix of ${parts} addresses: <code>${formatFace(this.player.state.a)}</code></p>`
          : nothing
      }
      <p id="address-error" class="field-error" role="alert">${this.#error}</p>
    </details>`;
  }

  /**
   * @param {string} label
   * @param {number} value
   * @param {(value: number) => import("./mixing.js").Face} face
   */
  #number(label, value, face) {
    const change = (/** @type {Event & {target: HTMLInputElement}} */ { target }) => {
      const number = Math.floor(target.valueAsNumber);
      if (Number.isSafeInteger(number) && number >= 0) this.player.set({ a: face(number), between: 0 });
      else target.value = String(value);
    };
    return html`<label class="field"
      ><span>${label}</span>
      <input
        type="number"
        min="0"
        step="1"
        inputmode="numeric"
        .value=${String(value)}
        @change=${change}
        @click=${selectAll}
    /></label>`;
  }

  /** @param {SubmitEvent} event */
  async #paste(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("address"));
    this.#error = "";
    try {
      const { readAddress } = await import("./pasted_address.js");
      const { model, query } = readAddress(field.value);
      this.openAddress(model, query);
      field.value = "";
    } catch (error) {
      this.#error = error instanceof Error ? error.message : String(error);
      this.player.refresh();
    }
  }
}
