/** The page of one model: its modes, its state in the URL, and the code of its image. */

import { codeBlock } from "../../components/code_block.js";
import { pointParameters } from "../../live/point.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { keptNames } from "./direction_names.js";
import "../../components/face_image.js";
import { imageName, playLink } from "./links.js";
import { OneMode } from "./one_mode.js";
import { readState } from "./play_state.js";
import { Player } from "./player.js";

/** @typedef {import("../../shell/view.js").ViewContext} ViewContext */
/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./play_state.js").Mode} Mode */
/**
 * @typedef {object} ModeView
 * @property {() => unknown} template
 * @property {(root: HTMLElement) => void} mounted runs after each rendering
 * @property {() => void} moved runs for each change while a slider moves
 * @property {() => void} rested runs when the state has settled
 * @property {() => void} close
 */

/** @type {[Mode, string][]} */
const MODE_LABELS = [
  ["one", "One"],
  ["wall", "Wall"],
  ["square", "Square"],
  ["compare", "Compare"],
];

export class PlayPage {
  /** @type {Player | null} */
  #player = null;
  /** @type {ModeView | null} */
  #view = null;
  /** @type {Mode | null} */
  #shown = null;
  #warning = "";

  /**
   * @param {ViewContext} context
   * @param {LiveModel} model
   * @param {Model} entry of the model
   * @param {Model[]} entries of all models
   */
  constructor(context, model, entry, entries) {
    this.context = context;
    this.model = model;
    this.entry = entry;
    this.entries = entries;
    this.first = /** @type {HTMLElement | null} */ (context.root.querySelector(".stage img"));
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.#press(event);
    document.addEventListener("keydown", this.onKey);
  }

  /**
   * Show the state that a query describes.
   * @param {URLSearchParams} query
   * @throws {RangeError} if the query is malformed
   */
  show(query) {
    const state = readState(query, this.entry.classes);
    state.names = { ...keptNames(this.entry.sha256), ...state.names };
    this.#warning = warningFor(query.get("sliders"), this.model.sliderChecksum);
    if (this.#player) {
      this.#player.set(state);
      return;
    }
    this.#player = new Player(this.model, this.entry, state, {
      onMove: () => this.#view?.moved(),
      onRest: () => this.#rest(),
      refresh: () => this.#render(),
    });
    this.#player.settle();
  }

  #rest() {
    this.#render();
    if (this.#player) this.context.setQuery(this.#player.query);
    this.#view?.rested();
  }

  #render() {
    const player = this.#player;
    if (!player) return;
    const { mode } = player.state;
    if (mode !== this.#shown) {
      void this.#enter(mode, player);
      if (!this.#view) return;
    }
    render(this.#template(player), this.context.root);
    this.#view?.mounted(this.context.root);
  }

  /**
   * Show a mode as soon as its module is loaded. The former mode stays until then.
   * @param {Mode} mode
   * @param {Player} player
   */
  async #enter(mode, player) {
    this.#shown = mode;
    const view = await this.#createMode(mode, player);
    if (mode !== this.#shown) {
      view.close();
      return;
    }
    this.#view?.close();
    this.#view = view;
    this.#render();
    view.rested();
  }

  /**
   * @param {Mode} mode
   * @param {Player} player
   * @returns {Promise<ModeView>}
   */
  async #createMode(mode, player) {
    if (mode === "wall") return new (await import("./wall_mode.js")).WallMode(player);
    if (mode === "square") return new (await import("./square_mode.js")).SquareMode(player);
    if (mode === "compare") return new (await import("./compare_mode.js")).CompareMode(player, this.entries);
    const { first } = this;
    this.first = null;
    return new OneMode(player, (model, query) => this.#openAddress(model, query), first);
  }

  /** @param {Player} player */
  #template(player) {
    return html`<div class="play-head">
        <h2>Play</h2>
        ${this.entries.length > 1 ? this.#modelChoice() : nothing}
        <nav class="modes" aria-label="Modes">
          ${MODE_LABELS.map(
            ([mode, label]) =>
              html`<a href=${playLink(player, { mode })} aria-current=${mode === player.state.mode ? "true" : "false"}
                >${label}</a
              >`,
          )}
        </nav>
      </div>
      ${this.#warning ? html`<p class="notice" role="status">${this.#warning}</p>` : nothing} ${this.#view?.template()}
      ${this.#code(player)}`;
  }

  #modelChoice() {
    const open = (/** @type {Event & {target: HTMLSelectElement}} */ { target }) => {
      const [seed, index] = this.#player?.state.a.atoms[0] ?? [1, 0];
      location.hash = hashOf(["play", target.value], { at: `${seed}:${index}`, mode: this.#shown ?? "one" });
    };
    return html`<label class="model-choice"
      ><span class="screen-reader">Model</span>
      <select @change=${open}>
        ${this.entries.map(({ name }) => html`<option value=${name} ?selected=${name === this.entry.name}>${name}</option>`)}
      </select></label
    >`;
  }

  /** @param {Player} player */
  #code(player) {
    const { state, point } = player;
    const model = this.entry.name;
    if (state.mode === "wall") {
      const { seed, count } = state.wall;
      return codeBlock({
        method: "POST",
        path: "generate",
        query: { model, n: String(count), seed: String(seed) },
        command: `imagemill generate -n ${count} --seed ${seed} --model ${model}`,
      });
    }
    const query = Object.fromEntries(pointParameters(point, this.model.sliderChecksum));
    return codeBlock({
      method: "GET",
      path: `images/${model}/at.png`,
      query,
      output: imageName(model, point),
    });
  }

  /**
   * @param {string | null} model
   * @param {URLSearchParams} query
   */
  #openAddress(model, query) {
    const name = model ?? this.entry.name;
    if (name === this.entry.name) this.show(query);
    else location.hash = hashOf(["play", name], query);
  }

  /**
   * Warn if the model of the page is gone or has changed.
   * @param {Model[]} entries
   */
  setModels(entries) {
    const current = entries.find(({ name }) => name === this.entry.name);
    const former = this.#warning;
    if (!current)
      this.#warning = `The service has no model "${this.entry.name}" any more. You can play on, but not save.`;
    else if (current.sha256 !== this.entry.sha256)
      this.#warning = "The service has a new model of this name. Reload the page to play with it.";
    if (former !== this.#warning) this.#render();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const isText = event.target instanceof HTMLInputElement && event.target.type !== "range";
    if (isText || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    this.#player?.travel(key === "y" || event.shiftKey ? 1 : -1);
  }

  close() {
    this.#shown = null;
    document.removeEventListener("keydown", this.onKey);
    this.#player?.close();
    this.#view?.close();
    this.model.close();
  }
}

/**
 * Return a warning if a link was made with other sliders than those of the model.
 * @param {string | null} wanted the first digits of a checksum
 * @param {string} checksum
 */
function warningFor(wanted, checksum) {
  if (!wanted || checksum.startsWith(wanted)) return "";
  return "The sliders of this model have changed since this link was made, so the image may differ.";
}
