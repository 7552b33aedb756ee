/** A row of Compare: the images of addresses in one style. They are requested one after the other. */

import { problemMessage } from "../../shell/problem.js";
import { send } from "../../shell/api.js";
import { html } from "../../vendor/lit-html.js";

/** @typedef {[seed: number, index: number]} Address */

export class StyledRow {
  /** Object URLs of the images that have arrived.
   * @type {string[]} */
  #images = [];
  /** @type {unknown} */
  #problem = null;
  #isCancelled = false;
  #ending = new AbortController();

  /**
   * @param {string} model
   * @param {{id: string, name: string}} style
   * @param {Address[]} addresses
   * @param {() => void} onChange
   */
  constructor(model, style, addresses, onChange) {
    this.model = model;
    this.style = style;
    this.addresses = addresses;
    this.onChange = onChange;
    void this.#load();
  }

  async #load() {
    const { signal } = this.#ending;
    this.#problem = null;
    try {
      for (const [seed, index] of this.addresses.slice(this.#images.length)) {
        const path = `images/${encodeURIComponent(this.model)}/${seed}/${index}.png`;
        const response = await send("GET", path, { query: { style: this.style.id }, signal });
        const image = await response.blob();
        if (signal.aborted) return;
        this.#images.push(URL.createObjectURL(image));
        this.onChange();
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#problem = error;
      this.onChange();
    }
  }

  #cancel() {
    this.#isCancelled = true;
    this.#ending.abort();
    this.onChange();
  }

  #resume() {
    this.#isCancelled = false;
    this.#ending = new AbortController();
    void this.#load();
    this.onChange();
  }

  /** @param {Address} first the first address of the table */
  isOf([seed, index]) {
    return this.addresses[0][0] === seed && this.addresses[0][1] === index;
  }

  template() {
    const missing = this.addresses.length - this.#images.length;
    return html`<tr>
      <th scope="row">${this.model} in ${this.style.name}</th>
      ${this.#images.map((image, column) => {
        const [seed, index] = this.addresses[column];
        return html`<td>
          <img class="styled" src=${image} alt=${`${this.model} at ${seed}:${index} in the style ${this.style.name}`} />
        </td>`;
      })}
      ${missing ? html`<td colspan=${missing}>${this.#state()}</td>` : ""}
    </tr>`;
  }

  #state() {
    if (this.#problem) return problemMessage(this.#problem, () => this.#resume());
    if (this.#isCancelled)
      return html`<p class="dim" role="status">
        Cancelled. <button class="quiet small" @click=${() => this.#resume()}>Go on</button>
      </p>`;
    return html`<p class="dim" role="status">
      Styling image ${this.#images.length + 1} of ${this.addresses.length}.
      <button class="quiet small" @click=${() => this.#cancel()}>Cancel</button>
    </p>`;
  }

  close() {
    this.#ending.abort();
    for (const image of this.#images) URL.revokeObjectURL(image);
  }
}
