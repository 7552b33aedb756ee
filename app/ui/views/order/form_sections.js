/** The sections of the form of an order. */

import { choice, number } from "../../components/controls.js";
import { countText } from "../../components/quantities.js";
import { slider } from "../../components/slider.js";
import { styleModeChoice, styleModeHint } from "../../components/style_mode.js";
import { url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing } from "../../vendor/lit-html.js";
import { fieldError } from "./field_errors.js";
import { majority, majorityOf } from "./majority.js";
import { imagesOf } from "./order_state.js";

/** @typedef {import("./order_page.js").OrderPage} OrderPage */

/** @param {OrderPage} page */
export function modelCard(page) {
  const { model, models } = page;
  const names = Object.fromEntries(models.map(({ name }) => [name, name]));
  return html`<fieldset>
    <legend>Model</legend>
    ${choice("Model", model.name, names, (name) => page.change({ model: name, ...emptyClasses(page, name) }))}
    <p>${describe(model)}</p>
    <p class="hint">${imbalance(model)} <a href=${hashOf(["models", model.name])}>All about this model</a></p>
  </fieldset>`;
}

/** @param {OrderPage} page */
export function whichSection(page) {
  const { state, model } = page;
  return html`<fieldset>
    <legend>How many</legend>
    ${
      state.division === "counts"
        ? html`<p>${countText(imagesOf(state))} images in all.</p>`
        : number(state.walk ? "Frames" : "Images", state.n, 1, (n) => page.change({ n }))
    }
    ${fieldError(page, "n")} ${model.classes.length && !state.walk ? classControls(page) : nothing}
    ${fieldError(page, "class", "classes")}
  </fieldset>`;
}

/** @param {OrderPage} page */
function classControls(page) {
  const { state, model } = page;
  const divisions = { balanced: "Balanced", one: "One class", counts: "Number of each class" };
  return html`<div class="row radios" role="radiogroup" aria-label="Classes">
      ${Object.entries(divisions).map(
        ([name, label]) =>
          html`<label class="radio">
            <input
              type="radio"
              name="division"
              .checked=${state.division === name}
              @change=${() => page.change({ division: /** @type {"one"} */ (name), ...countsFor(page, name) })}
            />
            ${label}
          </label>`,
      )}
    </div>
    ${
      state.division === "one"
        ? choice(
            "Class",
            state.classLabel,
            Object.fromEntries(model.classes.map((name) => [name, name])),
            (classLabel) => page.change({ classLabel }),
          )
        : nothing
    }
    ${
      state.division === "counts"
        ? html`<div class="counts">
              ${model.classes.map((name) =>
                number(name, state.counts[name] ?? 0, 0, (count) =>
                  page.change({ counts: { ...state.counts, [name]: count } }),
                ),
              )}
            </div>
            ${model.classes.length > 1 ? majorityChoice(page) : nothing}`
        : nothing
    }`;
}

/** @param {OrderPage} page */
function majorityChoice(page) {
  const { state, model } = page;
  const { classes } = model;
  const value = majorityOf(state.counts, classes);
  const options = { ...(value ? {} : { "": "choose" }), ...Object.fromEntries(classes.map((name) => [name, name])) };
  return choice("Two thirds of", value, options, (main) =>
    page.change({ counts: majority(classes, main, imagesOf(state)) }),
  );
}

/** @param {OrderPage} page */
export function stylesSection(page) {
  const { state, styles } = page;
  if (styles.length === 0) {
    return html`<fieldset>
      <legend>Style</legend>
      <p class="dim">None. <a href="#/styles">Add a picture</a> to give images its colours and texture.</p>
    </fieldset>`;
  }
  const missing = state.style ? page.estimate.costs?.fits.workers : null;
  return html`<fieldset>
    <legend>Style</legend>
    <div class="style-choice" role="radiogroup" aria-label="Style">
      ${[{ id: "", thumbnail: "" }, ...styles].map(
        ({ id, thumbnail }, place) =>
          html`<label class="style-option">
            <input
              type="radio"
              name="style"
              .checked=${state.style === id}
              @change=${() => page.change({ style: id })}
            />
            ${id ? html`<img src=${url(thumbnail)} alt=${`Style ${place}`} loading="lazy" />` : html`<span>None</span>`}
          </label>`,
      )}
    </div>
    ${
      state.style
        ? html`${styleModeChoice(state.styleMode, (styleMode) => page.change({ styleMode }))}
          ${styleModeHint(state.styleMode)}
          ${slider({
            label: "Strength",
            value: state.styleStrength,
            min: 0,
            max: 1,
            step: 0.05,
            format: (value) => value.toFixed(2),
            onInput: (styleStrength) => page.change({ styleStrength }),
          })}`
        : nothing
    }
    ${
      missing?.code === "no_style_transfer"
        ? html`<p class="field-error" role="alert">This service cannot draw styles now: ${missing.detail}.</p>`
        : nothing
    }
    ${fieldError(page, "style", "style_mode", "style_strength")}
  </fieldset>`;
}

/**
 * Return the counts to begin with: the images of the order, divided equally.
 * @param {OrderPage} page
 * @param {string} division
 */
function countsFor({ state, model }, division) {
  if (division !== "counts") return { n: Math.max(1, imagesOf(state)) };
  const share = Math.max(1, Math.round(state.n / model.classes.length));
  return { counts: Object.fromEntries(model.classes.map((name) => [name, share])) };
}

/**
 * Return the state of the classes for another model. Values of the old one mean nothing there.
 * @param {OrderPage} page
 * @param {string} name
 */
function emptyClasses(page, name) {
  const model = page.models.find((each) => each.name === name);
  const n = Math.max(1, imagesOf(page.state));
  return /** @type {const} */ ({
    division: "balanced",
    classLabel: model?.classes[0] ?? "",
    counts: {},
    n,
    around: null,
    walk: null,
    ...(!model?.gate && { keep: 1, dropsCopies: false }),
  });
}

/** @param {import("../../shell/model_list.js").Model} model */
function describe({ resolution, classes, training_images: counts, data }) {
  const total = counts && Object.values(counts).reduce((sum, count) => sum + count, 0);
  const learnt = total ? `, learnt from ${countText(total)} images of ${data}` : `, learnt from ${data}`;
  const labels = classes.length ? `, ${classes.length} classes` : "";
  return `${resolution} px${labels}${learnt}.`;
}

/** @param {import("../../shell/model_list.js").Model} model */
function imbalance({ training_images: counts }) {
  const sorted = Object.entries(counts ?? {}).sort((a, b) => b[1] - a[1]);
  const [most, least] = [sorted[0], sorted.at(-1)];
  if (!most || !least || most[1] < 1.5 * least[1]) return "";
  return `It learnt ${least[0]} from ${countText(least[1])} images, and ${most[0]} from ${countText(most[1])}.`;
}
