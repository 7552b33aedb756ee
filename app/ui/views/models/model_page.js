// The page of one model: its images, its facts in plain words, and its card.

import { codeBlock } from "../../components/code_block.js";
import { openModel } from "../../live/live.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { classBars } from "./class_bars.js";
import { gateEffects } from "./gate_effects.js";
import { livingGrid, sliderStrips } from "./living_images.js";
import { cardText, metric, pictureUrl, readCard, realism } from "./model_card.js";
import { distanceText, originText, realismText, speedText, workersText } from "./model_words.js";

/** @import { Token } from "../../components/markdown.js" */
/** @import { LiveModel } from "../../live/live.js" */
/** @import { Model } from "../../shell/model_list.js" */

export class ModelPage {
  /** @type {Token[]} */
  #card = [];
  #cardError = "";
  /** @type {LiveModel | null} */
  #live = null;
  /** Whether the model can draw no live images here. */
  #isStill = false;
  #closing = new AbortController();

  /**
   * @param {HTMLElement} root
   * @param {Model} model
   */
  constructor(root, model) {
    this.root = root;
    this.model = model;
    this.#render();
    void this.#open();
    void this.#readCard();
  }

  /** @param {Model} model the same model with figures of now */
  update(model) {
    this.model = model;
    this.#render();
  }

  close() {
    this.#closing.abort();
    this.#live?.close();
  }

  async #open() {
    const live = await openModel(this.model).catch(() => null); // the page is useful without live images
    if (this.#closing.signal.aborted) {
      live?.close();
      return;
    }
    this.#live = live;
    this.#isStill = !live;
    this.#render();
  }

  async #readCard() {
    try {
      this.#card = await readCard(this.model, this.#closing.signal);
    } catch (error) {
      this.#cardError = error instanceof Error ? error.message : String(error);
    }
    this.#render();
  }

  #render() {
    if (!this.#closing.signal.aborted) {
      render(this.#template(), this.root);
    }
  }

  #template() {
    const { model } = this;
    const live = this.#live;
    return html`<div class="row spread">
        <h2>${model.name}</h2>
        <div class="row">
          <a href="#/models">All models</a>
          <a class="button" href=${hashOf(["play", model.name])}>Play</a>
          <a class="button primary" href=${hashOf(["order"], { model: model.name })}>Order a dataset</a>
        </div>
      </div>
      <div class="model-top">
        <section aria-label="Images of the model">
          ${live ? livingGrid(live) : this.#grid()}
          <p class="hint">Generated images of seed 0, not selected. Each opens in Play.</p>
        </section>
        ${this.#facts()}
      </div>
      <div class="model-sections">
        ${
          model.training_images && Object.keys(model.training_images).length > 1
            ? section("Classes", classBars(model))
            : nothing
        }
        ${section("Quality gate", gateEffects(model))}
      </div>
      ${live?.sliders.length ? section("Sliders", sliderStrips(live)) : nothing}
      ${this.#card.length ? section("Card", html`<div class="prose">${cardText(model, this.#card)}</div>`) : nothing}
      ${this.#cardError ? html`<p class="notice bad" role="alert">The card: ${this.#cardError}</p>` : nothing}
      ${codeBlock({ method: "GET", path: `models/${encodeURIComponent(model.name)}` })}`;
  }

  /** Without live images, the page shows the picture of its card. */
  #grid() {
    const picture = this.#isStill ? pictureUrl(this.model, "grid") : null;
    return picture
      ? html`<img class="still" src=${picture} alt=${`Images of ${this.model.name}`} />`
      : html`<div class="living-place"></div>`;
  }

  #facts() {
    const { model } = this;
    const yields = realism(model, this.#card);
    const distance = metric(model, this.#card, "fd");
    const facts = [
      ["Images", `${model.resolution} × ${model.resolution} px${classText(model)}`],
      ["Learnt from", originText(model)],
      ["Licence of the data", model.licence],
      ["Realism", yields && realismText(yields)],
      ["Distance (FD)", distance && distanceText(distance)],
      ["Speed", speedText(model)],
      ["Workers", workersText(model)],
    ];
    return html`<section class="card" aria-label="Facts">
      <dl class="facts">
        ${facts.map(([name, words]) =>
          words
            ? html`<div>
                <dt>${name}</dt>
                <dd>${words}</dd>
              </div>`
            : nothing,
        )}
        <div>
          <dt>Checksum</dt>
          <dd><code class="checksum">${model.sha256}</code></dd>
        </div>
      </dl>
    </section>`;
  }
}

/** @param {Model} model */
function classText({ classes }) {
  if (classes.length === 0) return ", no classes";
  return `, ${classes.length} ${classes.length === 1 ? "class" : "classes"}`;
}

/**
 * @param {string} title
 * @param {unknown} content
 */
function section(title, content) {
  return html`<section class="stack model-section" aria-label=${title}>
    <h3>${title}</h3>
    ${content}
  </section>`;
}
