/** The section of an order that says which images: any, those around a point, or the frames of a walk. */

import { slider } from "../../components/slider.js";
import { formatPoint } from "../../live/point.js";
import { hashOf } from "../../shell/router.js";
import { html } from "../../vendor/lit-html.js";
import { fieldError } from "./field_errors.js";

/** @typedef {import("./order_page.js").OrderPage} OrderPage */

/** @param {OrderPage} page */
export function whatSection(page) {
  const { around, walk } = page.state;
  const { around: knownPoint, walk: knownWalk } = page.known;
  const options = [
    { label: "Any", isOn: !around && !walk, isKnown: true, change: { around: null, walk: null } },
    { label: "Around this", isOn: !!around, isKnown: !!knownPoint, change: { around: knownPoint, walk: null } },
    { label: "Between A and B", isOn: !!walk, isKnown: !!knownWalk, change: { around: null, walk: knownWalk } },
  ];
  return html`<fieldset>
    <legend>Variety</legend>
    <div class="row radios" role="radiogroup" aria-label="What">
      ${options.map(
        ({ label, isOn, isKnown, change }) =>
          html`<label class="radio">
            <input
              type="radio"
              name="what"
              .checked=${isOn}
              ?disabled=${!isKnown}
              @change=${() => page.change(change)}
            />
            ${label}
          </label>`,
      )}
    </div>
    ${walk ? frames(page, walk) : around ? nearby(page, around) : any(page)}
  </fieldset>`;
}

/** @param {OrderPage} page */
function any(page) {
  const { state, model } = page;
  return html`<p>
      Any image that the model can make. To order images like one that you like, or a walk between two,
      <a href=${hashOf(["play", model.name])}>find it in Play</a>.
    </p>
    ${slider({
      label: "Truncation",
      value: state.truncation,
      min: 0.3,
      max: 1,
      step: 0.05,
      format: (value) => value.toFixed(2),
      describedBy: "truncation-hint",
      onInput: (truncation) => page.change({ truncation }),
    })}
    <p id="truncation-hint" class="hint">Lower values make safer, more similar images.</p>
    ${fieldError(page, "truncation")}`;
}

/**
 * @param {OrderPage} page
 * @param {import("../../live/point.js").Point} around
 */
function nearby(page, around) {
  const { state, model } = page;
  const point = formatPoint(around, state.sliders);
  return html`<p>Images like <a href=${`#/play/${encodeURIComponent(model.name)}?${point}`}>this one</a>.</p>
    ${slider({
      label: "How far from it",
      value: state.spread,
      min: 0.05,
      max: 1,
      step: 0.05,
      format: (value) => value.toFixed(2),
      onInput: (spread) => page.change({ spread }),
    })}
    ${fieldError(page, "around")}`;
}

/**
 * @param {OrderPage} page
 * @param {import("./walk.js").Walk} walk
 */
function frames(page, walk) {
  const play = `#/play/${encodeURIComponent(page.model.name)}?`;
  return html`<p>
      The frames of a walk
      ${walk.points.map(
        (point, place) => html`${place ? " to " : "from "}<a href=${play + point}>image ${place + 1}</a>`,
      )},
      in their order.
    </p>
    <label class="radio">
      <input
        type="checkbox"
        .checked=${walk.isLoop}
        @change=${(/** @type {Event} */ event) =>
          page.change({ walk: { ...walk, isLoop: /** @type {HTMLInputElement} */ (event.target).checked } })}
      />
      And back to the first one
    </label>
    ${fieldError(page, "between")}`;
}
