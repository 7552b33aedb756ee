/** What the quality gate does for several values of `keep`. */

import { hashOf } from "../../shell/router.js";
import { html } from "../../vendor/lit-html.js";
import { bar } from "./class_table.js";
import { figure, percent } from "./words.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */

/** @param {Model} model */
export function gateTable(model) {
  if (!model.gate || model.effects.length === 0) {
    return html`<section class="stack" aria-labelledby="gate-heading">
      <h3 id="gate-heading">Quality gate</h3>
      <p class="dim">This model has none. <code>imagemill gate MODEL DATA</code> trains one.</p>
    </section>`;
  }
  return html`<section class="stack" aria-labelledby="gate-heading">
    <h3 id="gate-heading">Quality gate</h3>
    <p>
      The gate keeps the images of each class that look most real. Fewer images then look wrong, and more candidates are
      tried. Coverage is the share of real images that have a synthetic one nearby. Judged by ${model.judge}.
    </p>
    <div class="table-frame" tabindex="0" role="region" aria-label="Effects of the quality gate">
      <table class="gate">
        <thead>
          <tr>
            <th scope="col">Keep</th>
            <th scope="col">Look real</th>
            <th scope="col">Coverage</th>
            <th scope="col" class="number">FD</th>
            <th scope="col" class="number">Tries for each image</th>
          </tr>
        </thead>
        <tbody>
          ${model.effects.map((effect) => gateRow(model, effect))}
        </tbody>
      </table>
    </div>
  </section>`;
}

/**
 * @param {Model} model
 * @param {Record<string, number>} effect
 */
function gateRow(model, { keep = 1, yield: looksReal = 0, coverage = 0, fd }) {
  const words = keep === 1 ? "all" : `the best ${percent(keep)}`;
  /** @type {Record<string, string>} */
  const order = keep === 1 ? { model: model.name } : { model: model.name, keep: String(keep) };
  return html`<tr>
    <th scope="row"><a href=${hashOf(["order"], order)}>${words}</a></th>
    <td>${bar(looksReal, percent(looksReal))}</td>
    <td>${bar(coverage, percent(coverage))}</td>
    <td class="number">${figure(fd)}</td>
    <td class="number">${figure(1 / keep)}</td>
  </tr>`;
}
