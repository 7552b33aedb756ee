/** The stage with its mark and its tools: undo, redo, save, copy. */

import { copyText } from "../../components/copy.js";
import { randomSeed } from "../../live/point.js";
import { html } from "../../vendor/lit-html.js";
import { describeShares } from "./class_panel.js";
import { classesOf } from "./mixing.js";
import { imageName } from "./links.js";
import { faceAt } from "./play_state.js";
import { Stage } from "./stage.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./stage.js").Mark} Mark */

const SAVE_TIMEOUT_MS = 30_000;
const MARKS = {
  live: "Live",
  exact: "Exact: the same bytes for everyone",
  waiting: "Live only",
  failed: "Not drawn",
};

export class StagePanel {
  /** @type {Stage | null} */
  #stage = null;
  /** @type {Mark | null} */
  #mark = null;
  #message = "";
  /** @type {HTMLElement | null} */
  #markLine = null;

  /**
   * @param {Player} player
   * @param {HTMLElement | null} [first] the image to show until the first one is drawn
   */
  constructor(player, first = null) {
    this.player = player;
    this.first = first;
  }

  template() {
    const { history } = this.player;
    return html`<section class="stage-panel" aria-label="Image">
      <div class="stage" data-stage></div>
      <div class="row spread">
        <p class="mark" aria-live="off" data-mark></p>
        <button type="button" @click=${() => this.#showAnother()}>Another image</button>
      </div>
      <div class="row tools">
        <button type="button" class="quiet" ?disabled=${!history.canUndo} @click=${() => this.player.travel(-1)}>
          Undo
        </button>
        <button type="button" class="quiet" ?disabled=${!history.canRedo} @click=${() => this.player.travel(1)}>
          Redo
        </button>
        <button type="button" @click=${() => this.#copyLink()}>Copy link</button>
        <button type="button" @click=${() => this.#save()}>Save PNG</button>
      </div>
      <p class="hint" role="status">${this.#message}</p>
    </section>`;
  }

  /** @param {HTMLElement} root */
  mounted(root) {
    this.#markLine = root.querySelector("[data-mark]");
    const container = /** @type {HTMLElement | null} */ (root.querySelector("[data-stage]"));
    if (this.#stage || !container) return;
    this.#stage = new Stage(container, this.first, this.player.model, (mark) => this.#show(mark));
    this.moved();
    this.rested();
  }

  moved() {
    this.#stage?.show(this.player.point);
  }

  rested() {
    this.#stage?.describe(this.#description());
    void this.#stage?.showExact();
  }

  #description() {
    const { entry, point, classNames } = this.player;
    const shares = describeShares(classesOf({ atoms: point.at, classes: point.classes ?? null }, classNames));
    const addresses = point.at.map(([seed, index]) => `${seed}:${index}`).join(" and ");
    return `Generated image of ${entry.name} at ${addresses}${shares ? `, ${shares}` : ""}`;
  }

  /**
   * Show whether the image is live or exact. It runs for each painted image, so it writes only changes.
   * @param {Mark} mark
   */
  #show(mark) {
    if (mark.kind === this.#mark?.kind && mark.reason === this.#mark.reason) return;
    this.#mark = mark;
    if (!this.#markLine) return;
    this.#markLine.dataset.kind = mark.kind;
    // Only trouble is announced: between live and exact, the image changes at each move of a slider.
    this.#markLine.ariaLive = mark.reason ? "polite" : "off";
    this.#markLine.title = mark.kind === "exact" ? `Numerics: ${this.player.entry.numerics.name}` : "";
    this.#markLine.textContent = MARKS[mark.kind] + (mark.reason && `: ${mark.reason}`);
  }

  #showAnother() {
    this.player.set({ a: faceAt(randomSeed(), 0), between: 0 });
  }

  async #save() {
    const { entry, model, point } = this.player;
    try {
      const blob = this.#stage?.exact ?? (await model.fetchExact(point, AbortSignal.timeout(SAVE_TIMEOUT_MS)));
      const { saveFile } = await import("./saving.js");
      saveFile(blob, imageName(entry.name, point));
      this.#say("The exact image is saved.");
    } catch (error) {
      this.#say(`The image was not saved: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #copyLink() {
    this.player.settle();
    const isCopied = await copyText(location.href);
    this.#say(isCopied ? "The link is copied. It shows the same pixels to everyone who can open this service." : "");
  }

  /** @param {string} message */
  #say(message) {
    this.#message = message;
    this.player.refresh();
  }

  close() {
    this.#stage?.close();
    this.#stage = null;
  }
}
