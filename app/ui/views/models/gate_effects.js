// What the quality gate does: a curve and a table over the share of images that it keeps.

import { hashOf } from "../../shell/router.js";
import { html, nothing, svg } from "../../vendor/lit-html.js";
import { figure, percent } from "./model_words.js";

/** @import { Model } from "../../shell/model_list.js" */

/** @typedef {{keep: number, yield: number, coverage: number, recall: number, fd: number}} Effect */

const WIDTH = 320;
const HEIGHT = 120;

/** @param {Model} model */
export function gateEffects(model) {
  const effects = /** @type {Effect[]} */ (model.effects);
  if (!model.gate || effects.length === 0) {
    return html`<p class="dim">This model has no quality gate, so an order takes its images as they come.</p>`;
  }
  return html`<p>
      The quality gate keeps the images of each class that look most real. A smaller share looks better, and varies
      less: recall is the share of the real images that the model could have made.
    </p>
    <div class="effects">
      ${effects.length > 1 ? curve(effects) : nothing}
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th scope="col">Keep</th>
              <th scope="col" class="number">Look real</th>
              <th scope="col" class="number">FD</th>
              <th scope="col" class="number">Recall</th>
            </tr>
          </thead>
          <tbody>
            ${effects.map(
              (effect) =>
                html`<tr>
                  <th scope="row">${keepLink(model, effect.keep)}</th>
                  <td class="number">${percent(effect.yield)}</td>
                  <td class="number">${figure(effect.fd)}</td>
                  <td class="number">${(effect.recall * 100).toFixed(1)} %</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </div>`;
}

/**
 * @param {Model} model
 * @param {number} keep
 */
function keepLink(model, keep) {
  const query = { model: model.name, ...(keep < 1 && { keep: String(keep) }) };
  const words = keep < 1 ? `best ${percent(keep)}` : "all";
  return html`<a href=${hashOf(["order"], query)} aria-label=${`Order ${words}`}>${words}</a>`;
}

/** @param {Effect[]} effects */
function curve(effects) {
  const most = Math.max(...effects.map((effect) => effect.yield));
  const top = Math.min(1, Math.ceil(most * 10) / 10);
  const first = /** @type {Effect} */ (effects[0]);
  const last = /** @type {Effect} */ (effects.at(-1));
  const points = effects.map((effect) => [effect.keep * WIDTH, HEIGHT - (effect.yield / top) * HEIGHT]);
  const words = `Images that look real: ${percent(first.yield)} of all, ${percent(last.yield)} of the best ${percent(last.keep)}`;
  return html`<figure class="effect-curve">
    <span class="hint">${percent(top)} look real</span>
    <svg viewBox=${`-6 -6 ${WIDTH + 12} ${HEIGHT + 12}`} role="img" aria-label=${words}>
      <path class="axis" d=${`M0 0V${HEIGHT}H${WIDTH}`} />
      <path class="line first" d=${`M${points.map(([x, y]) => `${x} ${y}`).join("L")}`} />
      ${points.map(([x, y]) => svg`<circle class="dot-mark" cx=${x} cy=${y} r="4" />`)}
    </svg>
    <figcaption class="row spread hint"><span>few kept</span><span>all kept</span></figcaption>
  </figure>`;
}
