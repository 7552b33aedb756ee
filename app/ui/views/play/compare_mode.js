/** The mode Compare: the same addresses as columns, and models as rows. The user adds rows of the model in a style. */

import { html, nothing } from "../../vendor/lit-html.js";
import { randomSeed } from "../../live/point.js";
import { openModel } from "../../live/live.js";
import { getJson } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { styleName } from "../styles/style_names.js";
import { faceAt, pointOfFace } from "./play_state.js";
import { StyledRow } from "./styled_row.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("../styles/upload.js").Style} Style */

const COLUMNS = 8;
/** Number of models that are shown until the user chooses. Each one loads its weights. */
const ROWS_AT_FIRST = 4;

export class CompareMode {
  /** @type {Map<string, LiveModel | Error>} */
  #models = new Map();
  /** Names of the models that are open, or are being opened.
   * @type {Set<string>} */
  #opening = new Set();
  /** @type {Style[]} */
  #styles = [];
  /** The rows that the user has asked for, by the style.
   * @type {Map<string, StyledRow>} */
  #styled = new Map();
  #isClosed = false;

  /**
   * @param {Player} player
   * @param {Model[]} entries of all models of the service
   */
  constructor(player, entries) {
    this.player = player;
    this.entries = entries;
    this.#models.set(player.entry.name, player.model);
    this.#opening.add(player.entry.name);
    void this.#findStyles();
  }

  async #findStyles() {
    try {
      this.#styles = (await getJson("styles")).styles;
    } catch {
      return; // the models can be compared without styles
    }
    if (!this.#isClosed) this.player.refresh();
  }

  /** @param {Model} entry */
  async #open(entry) {
    if (this.#opening.has(entry.name)) return;
    this.#opening.add(entry.name);
    try {
      const model = await openModel(entry);
      if (this.#isClosed) return model.close();
      this.#models.set(entry.name, model);
    } catch (error) {
      this.#models.set(entry.name, error instanceof Error ? error : new Error(String(error)));
    }
    if (!this.#isClosed) this.player.refresh();
  }

  template() {
    const [seed, index] = this.player.state.a.atoms[0];
    const faces = Array.from({ length: COLUMNS }, (_, step) => faceAt(seed, index + step));
    this.#closeRowsOfOthers(faces);
    return html`<div class="stack">
      <div class="row">
        ${this.entries.length > 1 ? this.#choices() : nothing}
        <button type="button" @click=${() => this.#roll()}>Other addresses</button>
      </div>
      ${this.#styles.length ? this.#styleChoices(faces) : nothing}
      <p class="hint">
        The same latents in each row. Each model draws its own class of an index. Truncation applies to all rows;
        sliders belong to one model.
      </p>
      <div class="table-frame" role="region" aria-label="Comparison" tabindex="0">
        <table class="compare">
          <thead>
            <tr>
              <th scope="col">Model</th>
              ${faces.map(({ atoms }) => html`<th scope="col">${atoms[0][0]}:${atoms[0][1]}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${this.entries.filter(({ name }) => this.#isShown(name)).map((entry) => this.#row(entry, faces))}
            ${[...this.#styled.values()].map((row) => row.template())}
          </tbody>
        </table>
      </div>
      ${this.entries.length > 1 ? nothing : html`<p class="hint">This service has one model only. Train another one to compare both.</p>`}
    </div>`;
  }

  #choices() {
    return html`<div class="chips" role="group" aria-label="Models to compare">
      ${this.entries.map(
        ({ name }) =>
          html`<button
            type="button"
            class="chip"
            aria-pressed=${this.#isShown(name) ? "true" : "false"}
            @click=${() => this.#toggle(name)}
          >
            ${name}
          </button>`,
      )}
    </div>`;
  }

  /** @param {import("./mixing.js").Face[]} faces */
  #styleChoices(faces) {
    if (this.player.state.truncation !== 1)
      return html`<p class="hint">Styles are for an address only. Set the truncation to 1 to show styled images.</p>`;
    return html`<div class="chips" role="group" aria-label=${`Styles for ${this.player.entry.name}`}>
      ${this.#styles.map(
        (style) =>
          html`<button
            type="button"
            class="chip"
            aria-pressed=${this.#styled.has(style.id) ? "true" : "false"}
            @click=${() => this.#toggleStyle(style, faces)}
          >
            Show styled: ${styleName(style)}
          </button>`,
      )}
    </div>`;
  }

  /**
   * @param {Style} style
   * @param {import("./mixing.js").Face[]} faces
   */
  #toggleStyle(style, faces) {
    const { player } = this;
    const row = this.#styled.get(style.id);
    row?.close();
    if (!this.#styled.delete(style.id)) {
      const addresses = faces.map(({ atoms }) => /** @type {[number, number]} */ ([atoms[0][0], atoms[0][1]]));
      const named = { id: style.id, name: styleName(style) };
      this.#styled.set(style.id, new StyledRow(player.entry.name, named, addresses, () => player.refresh()));
    }
    player.refresh();
  }

  /**
   * Close the styled rows whose columns are no longer shown as addresses.
   * @param {import("./mixing.js").Face[]} faces
   */
  #closeRowsOfOthers([{ atoms }]) {
    const isPlain = this.player.state.truncation === 1;
    for (const [id, row] of this.#styled) {
      if (isPlain && row.isOf([atoms[0][0], atoms[0][1]])) continue;
      row.close();
      this.#styled.delete(id);
    }
  }

  #firstNames() {
    const own = this.player.entry.name;
    const others = this.entries.map(({ name }) => name).filter((name) => name !== own);
    return [own, ...others.slice(0, ROWS_AT_FIRST - 1)];
  }

  /** @param {string} name */
  #isShown(name) {
    const { compared } = this.player.state;
    return compared.length ? compared.includes(name) : this.#firstNames().includes(name);
  }

  /** @param {string} name */
  #toggle(name) {
    const shown = this.entries.map((entry) => entry.name).filter((each) => (each === name) !== this.#isShown(each));
    if (shown.length) this.player.set({ compared: shown });
  }

  /**
   * @param {Model} entry
   * @param {import("./mixing.js").Face[]} faces
   */
  #row(entry, faces) {
    const model = this.#models.get(entry.name);
    if (!model) void this.#open(entry);
    const look = { ...this.player.state, shift: {}, classes: null };
    if (!model)
      return html`<tr>
        <th scope="row">${entry.name}</th>
        <td colspan=${COLUMNS}>Loading the model.</td>
      </tr>`;
    if (model instanceof Error)
      return html`<tr>
        <th scope="row">${entry.name}</th>
        <td colspan=${COLUMNS}>${model.message}</td>
      </tr>`;
    return html`<tr>
      <th scope="row">${entry.name}</th>
      ${faces.map((face) => {
        const [seed, index] = face.atoms[0];
        const link = hashOf(["play", entry.name], { at: `${seed}:${index}` });
        return html`<td>
          <a class="face" href=${link} aria-label=${`Play with ${entry.name} at ${seed}:${index}`}>
            <face-image .model=${model} .point=${pointOfFace(face, look, entry.classes)}></face-image
          ></a>
        </td>`;
      })}
    </tr>`;
  }

  #roll() {
    this.player.set({ a: faceAt(randomSeed(), 0) });
  }

  mounted() {}

  moved() {}

  rested() {}

  close() {
    this.#isClosed = true;
    for (const row of this.#styled.values()) row.close();
    for (const [name, model] of this.#models) {
      if (!(model instanceof Error) && name !== this.player.entry.name) model.close();
    }
  }
}
