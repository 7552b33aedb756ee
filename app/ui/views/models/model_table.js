// The table of all models.

import { hashOf } from "../../shell/router.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { metric, pictureUrl, realism } from "./model_card.js";
import { figure, originText, percent, speedText } from "./model_words.js";

/** @import { Token } from "../../components/markdown.js" */
/** @import { Model } from "../../shell/model_list.js" */
/** @import { Metric } from "./model_card.js" */

const COLUMNS = ["Model", "Size", "Classes", "Speed", "Workers", "Look real", "FD", "Licence of the data"];

/**
 * @param {Model[]} models
 * @param {Map<string, Token[]>} cards by sha256 of the model
 */
export function modelTable(models, cards) {
  return html`<table class="models-table" role="table">
      <thead role="rowgroup">
        <tr role="row">
          ${COLUMNS.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${models.map((model) => row(model, cards.get(model.sha256) ?? []))}
      </tbody>
    </table>
    <p class="hint">
      Look real: share of the images that pass the realism test. FD: distance between generated and real images, by the
      features of a network; lower is better. Real images themselves are below each figure.
    </p>`;
}

/**
 * @param {Model} model
 * @param {Token[]} card
 */
function row(model, card) {
  const picture = pictureUrl(model, "grid");
  const address = hashOf(["models", model.name]);
  return html`<tr role="row" data-model=${model.name}>
    <th scope="row" role="rowheader">
      <div class="model-name">
        <a class="model-picture" href=${address} tabindex="-1" aria-hidden="true">
          ${picture ? html`<img src=${picture} alt="" loading="lazy" />` : nothing}
        </a>
        <div>
          <a href=${address}>${model.name}</a>
          ${model.default ? html`<span class="badge good">default</span>` : nothing}
          <span class="hint origin">${originText(model)}</span>
        </div>
      </div>
    </th>
    ${cell("Size", `${model.resolution}\u00a0px`)} ${cell("Classes", model.classes.length || "none")}
    ${cell("Speed", speedText(model))} ${cell("Workers", model.workers)}
    ${cell("Look real", beside(realism(model, card), percent))} ${cell("FD", beside(metric(model, card, "fd"), figure))}
    ${cell("Licence of the data", model.licence)}
  </tr>`;
}

/**
 * Return a cell. On narrow screens it stands below its name.
 * @param {string} name
 * @param {unknown} content
 */
function cell(name, content) {
  return html`<td role="cell"><span class="cell-name" aria-hidden="true">${name}</span><span>${content}</span></td>`;
}

/**
 * @param {Metric | null} found
 * @param {(value: number) => string} words
 */
function beside(found, words) {
  if (!found) return "unknown";
  return html`<strong>${words(found.model)}</strong> ${
      found.real === null ? nothing : html`<span class="hint real">real ${words(found.real)}</span>`
    }`;
}
