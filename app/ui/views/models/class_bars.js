// The classes of a model: how many training images each had, and how many of its images look real.

import { hashOf } from "../../shell/router.js";
import { html } from "../../vendor/lit-html.js";
import { count, imbalanceText, percent } from "./model_words.js";

/** @import { Model } from "../../shell/model_list.js" */

/** @param {Model} model with training images by class */
export function classBars(model) {
  const counts = model.training_images ?? {};
  const most = Math.max(1, ...Object.values(counts));
  return html`<p>${imbalanceText(counts)}</p>
    <table class="class-bars">
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col">Training images</th>
          <th scope="col" class="number">Look real</th>
        </tr>
      </thead>
      <tbody>
        ${Object.entries(counts).map(
          ([name, images]) =>
            html`<tr>
              <th scope="row"><a href=${hashOf(["order"], { model: model.name, class: name })}>${name}</a></th>
              <td>
                <div class="bar">
                  <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="bar-fill" width=${(100 * images) / most} height="10" rx="0.6" />
                  </svg>
                  <span class="number">${count(images)}</span>
                </div>
              </td>
              <td class="number">${yieldOf(model, name)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

/**
 * @param {Model} model
 * @param {string} name
 */
function yieldOf({ class_yields: yields }, name) {
  const share = yields?.[name];
  return share === undefined ? "–" : percent(share);
}
