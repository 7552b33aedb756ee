/** The page of one model: live images, what it is, its limits, its classes, its gate, its sliders and its card. */

/** @import { ViewContext } from "../../shell/view.js" */
import "../../components/face_image.js";
import { codeBlock } from "../../components/code_block.js";
import { emptyState } from "../../shell/problem.js";
import { openModel } from "../../live/live.js";
import { url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { cardPath, readCard } from "./card.js";
import { cardFold, pictures } from "./card_parts.js";
import { classTable } from "./class_table.js";
import { gateTable } from "./gate_table.js";
import { sliderStrips } from "./slider_strips.js";
import { countText } from "../../components/quantities.js";
import { distanceOf, figure, imbalance, likeness, percent, trainingTotal, yieldOf } from "./words.js";

/** @typedef {import("../../live/live.js").LiveModel} LiveModel */
/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./card.js").Card} Card */

const SHOWN_IMAGES = 12;

export class ModelPage {
  /** @type {Card | null} */
  #card = null;
  /** @type {LiveModel | null} */
  #live = null;
  #isClosed = false;

  /**
   * @param {ViewContext} context
   * @param {string} name
   * @param {Model | undefined} model undefined if no worker has it now
   */
  constructor(context, name, model) {
    this.context = context;
    this.name = name;
    this.model = model;
    this.#render();
    if (model) {
      void this.#addCard(model);
      void this.#open(model);
    }
  }

  close() {
    this.#isClosed = true;
    this.#live?.close();
  }

  /** @param {Model} model */
  async #addCard(model) {
    this.#card = await readCard(model);
    this.#render();
  }

  /** @param {Model} model */
  async #open(model) {
    const live = await openModel(model).catch(() => null); // the figures are worth reading without live images
    if (this.#isClosed) {
      live?.close();
      return;
    }
    this.#live = live;
    this.#render();
  }

  #render() {
    if (!this.#isClosed) {
      render(this.model ? this.#template(this.model) : this.#unknown(), this.context.root);
    }
  }

  #unknown() {
    return html`<h2>${this.name}</h2>
      ${emptyState(
        html`No worker has a model named "${this.name}" now. The page appears as soon as one has.`,
        html`<a class="button" href="#/models">All models</a>`,
      )}`;
  }

  /** @param {Model} model */
  #template(model) {
    return html`<div class="row spread">
        <h2>${model.name}</h2>
        <div class="row">
          <a class="button primary" href=${hashOf(["play", model.name])}>Play</a>
          <a class="button" href=${hashOf(["order"], { model: model.name })}>Order a dataset</a>
          ${
            this.#card
              ? html`<a class="button" href=${url(cardPath(model))} download=${`${model.name}.md`}>Save the card</a>`
              : nothing
          }
        </div>
      </div>
      ${this.#images(model)}
      <div class="model-facts">
        ${this.#facts(model)}
        <section class="stack words" aria-labelledby="limits-heading">
          <h3 id="limits-heading">What to know before you use it</h3>
          ${[imbalance(model), likeness(this.#card)].filter(Boolean).map((text) => html`<p>${text}</p>`)}
          <p>
            All images are synthetic, but one may resemble a training image. They repeat the habits of the training
            images, so do not take them for a fair picture of the world.
          </p>
        </section>
      </div>
      ${classTable(model, this.#live)} ${gateTable(model)} ${sliderStrips(model, this.#live)} ${pictures(model)}
      ${this.#card ? cardFold(this.#card) : nothing}
      ${codeBlock({ method: "GET", path: `models/${encodeURIComponent(model.name)}` })}
      <p><a href="#/models">All models</a></p>`;
  }

  /** @param {Model} model */
  #images(model) {
    const live = this.#live;
    return html`<div class="model-images" role="group" aria-label=${`Images of ${model.name}, not selected`}>
      ${Array.from({ length: SHOWN_IMAGES }, (_, index) =>
        live
          ? html`<a href=${hashOf(["play", model.name], { at: `0:${index}` })} aria-label=${`Play with image ${index}`}>
              <face-image .model=${live} .point=${{ at: [[0, index, 1]] }}></face-image>
            </a>`
          : html`<span class="place"></span>`,
      )}
    </div>`;
  }

  /** @param {Model} model */
  #facts(model) {
    const total = trainingTotal(model);
    const looksReal = yieldOf(model, this.#card);
    const distance = distanceOf(model, this.#card);
    const beside = (/** @type {string} */ text) => html`<span class="dim"> (real images: ${text})</span>`;
    /** @type {[string, unknown][]} */
    const facts = [
      ["Images", `${model.resolution} x ${model.resolution} px`],
      ["Learnt from", total ? `${countText(total)} images of ${model.data}` : model.data],
      ["Licence of the data", model.licence],
      [
        "Look real",
        html`${percent(looksReal.model)}${looksReal.real === null ? nothing : beside(percent(looksReal.real))}`,
      ],
      [
        "Fréchet distance",
        html`${figure(distance.model)}${distance.real === null ? nothing : beside(figure(distance.real))}`,
      ],
      ["Workers", `${model.workers}, ${model.numerics.name}`],
      ["Speed", model.images_per_s ? `${countText(Math.round(model.images_per_s))} images/s` : "not measured yet"],
      ["SHA-256", html`<code class="checksum">${model.sha256}</code>`],
    ];
    return html`<dl class="facts">
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`;
  }
}
