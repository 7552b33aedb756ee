/** The table of all models. */

/** @import { ViewContext } from "../../shell/view.js" */
import { codeBlock } from "../../components/code_block.js";
import { emptyState } from "../../shell/problem.js";
import { url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { readCard } from "./card.js";
import { countText } from "../../components/quantities.js";
import { distanceOf, figure, percent, yieldOf } from "./words.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./card.js").Card} Card */

export class ModelTable {
  /** @type {Map<string, Card | null>} */
  #cards = new Map();
  #isClosed = false;

  /**
   * @param {ViewContext} context
   * @param {Model[]} models
   */
  constructor(context, models) {
    this.context = context;
    this.models = models;
    this.#render();
    for (const model of models) {
      void this.#addCard(model);
    }
  }

  close() {
    this.#isClosed = true;
  }

  /** @param {Model} model */
  async #addCard(model) {
    this.#cards.set(model.sha256, await readCard(model));
    this.#render();
  }

  #render() {
    if (!this.#isClosed) {
      render(this.#template(), this.context.root);
    }
  }

  #template() {
    if (this.models.length === 0) {
      return html`<h2>Models</h2>
        ${emptyState("No worker is ready yet. The models appear here as soon as one is.")}`;
    }
    return html`<h2>Models</h2>
      <div class="table-frame" tabindex="0" role="region" aria-label="Models">
        <table class="models">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" class="number">Size</th>
              <th scope="col" class="number">Classes</th>
              <th scope="col" class="number" title="Share of the images that look real to a test on real images">
                Look real
              </th>
              <th scope="col" class="number" title="Fréchet distance to the training images. Lower is better.">FD</th>
              <th scope="col" class="number">Images/s</th>
              <th scope="col" class="number">Workers</th>
              <th scope="col">Licence of the data</th>
              <th scope="col"><span class="screen-reader">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            ${this.models.map((model) => this.#row(model))}
          </tbody>
        </table>
      </div>
      <p class="hint">
        The small figures are those of real images, by the same test. The speed is that of the last images a worker
        made.
      </p>
      ${codeBlock({ method: "GET", path: "models", command: `imagemill models --server ${url("").replace(/\/$/, "")}` })}`;
  }

  /** @param {Model} model */
  #row(model) {
    const card = this.#cards.get(model.sha256) ?? null;
    const name = encodeURIComponent(model.name);
    return html`<tr>
      <th scope="row">
        <a class="model-name" href=${hashOf(["models", model.name])}>
          ${
            model.files.includes("grid.png")
              ? html`<img src=${url(`models/${name}/pictures/grid.png`)} alt="" loading="lazy" />`
              : nothing
          }
          <span>${model.name}</span>
          ${model.default ? html`<span class="badge">default</span>` : nothing}
        </a>
      </th>
      <td class="number">${model.resolution} px</td>
      <td class="number">${model.classes.length || "–"}</td>
      <td class="number">${besideReal(yieldOf(model, card), percent)}</td>
      <td class="number">${besideReal(distanceOf(model, card), figure)}</td>
      <td class="number">${model.images_per_s ? countText(Math.round(model.images_per_s)) : "–"}</td>
      <td class="number">${model.workers}</td>
      <td class="licence">${model.licence}</td>
      <td>
        <div class="row links">
          <a class="button" href=${hashOf(["play", model.name])} aria-label=${`Play with ${model.name}`}>Play</a>
          <a class="button" href=${hashOf(["order"], { model: model.name })} aria-label=${`Order from ${model.name}`}>
            Order
          </a>
        </div>
      </td>
    </tr>`;
  }
}

/**
 * @param {{model: number | null, real: number | null}} figures
 * @param {(value: number | null) => string} format
 */
function besideReal({ model, real }, format) {
  return html`${format(model)}${real === null ? nothing : html`<small class="dim real">real ${format(real)}</small>`}`;
}
