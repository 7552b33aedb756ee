/** The pictures of a model, and the text of its card. */

import { url } from "../../shell/api.js";
import { html, nothing } from "../../vendor/lit-html.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./card.js").Card} Card */
/** @typedef {import("./card.js").Block} Block */

const PICTURES = [
  { name: "grid", title: "Samples, not selected", isPixels: true },
  { name: "strip", title: "Walks between latents", isPixels: true },
  { name: "plots", title: "Losses, scores and metrics of the training", isPixels: false },
];

/** @param {Model} model */
export function pictures(model) {
  const shown = PICTURES.filter(({ name }) => model.files.includes(`${name}.png`));
  if (shown.length === 0) {
    return nothing;
  }
  return html`<section class="stack" aria-labelledby="pictures-heading">
    <h3 id="pictures-heading">Pictures of the training</h3>
    <div class="pictures">
      ${shown.map(({ name, title, isPixels }) => {
        const address = url(`models/${encodeURIComponent(model.name)}/pictures/${name}.png`);
        return html`<figure class=${`picture ${name}`}>
          <a href=${address} target="_blank">
            <img
              class=${isPixels ? "samples" : "plots"}
              src=${address}
              alt=${`${title} of ${model.name}`}
              loading="lazy"
            />
          </a>
          <figcaption class="hint">${title}</figcaption>
        </figure>`;
      })}
    </div>
  </section>`;
}

/** @param {Card} card */
export function cardFold(card) {
  return html`<details class="card-fold">
    <summary>The whole card</summary>
    <div class="stack card-text">${card.blocks.map(cardBlock)}</div>
  </details>`;
}

/** @param {Block} block */
function cardBlock({ kind, text, rows }) {
  if (kind === "heading") {
    return html`<h3>${text}</h3>`;
  }
  if (kind === "code") {
    return html`<pre tabindex="0">${text}</pre>`;
  }
  if (kind === "table") {
    return cardTable(rows);
  }
  return html`<p>${text}</p>`;
}

/** @param {string[][]} rows */
function cardTable([head = [], ...rows]) {
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${head[1] ? "Figures" : "Facts"}>
    <table>
      ${
        head.some(Boolean)
          ? html`<thead>
              <tr>
                ${head.map((cell, place) => (place ? html`<th scope="col">${cell}</th>` : html`<td></td>`))}
              </tr>
            </thead>`
          : nothing
      }
      <tbody>
        ${rows.map(
          ([name, ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
