/** The page of styles: the gallery, uploads, and the panel of the style that is selected. */

/** @import { ViewContext } from "../../shell/view.js" */
import { codeBlock } from "../../components/code_block.js";
import { problemMessage } from "../../shell/problem.js";
import { getJson, send, url } from "../../shell/api.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { confirmRemoval } from "./removal.js";
import { forgetStyleName, keepStyleName, styleName } from "./style_names.js";
import { Trial } from "./trial.js";
import { trialPanel } from "./trial_panel.js";
import { uploadStyle } from "./upload.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./trial.js").TrialOrder} TrialOrder */
/** @typedef {import("./upload.js").Style} Style */

const PICTURE_TYPES = "image/png,image/jpeg,image/webp";

export class StylesPage {
  /** @type {Trial | null} */
  trial = null;
  /** @type {{name: string, share: number} | null} the upload that runs */
  #upload = null;
  /** @type {unknown} */
  #problem = null;
  #isOver = false;
  #ending = new AbortController();

  /**
   * @param {ViewContext} context
   * @param {Model[]} models
   * @param {Style[]} styles the oldest first
   */
  constructor(context, models, styles) {
    this.context = context;
    this.models = models;
    this.styles = styles;
    this.order = this.#read(context.route.query);
    this.#render();
  }

  close() {
    this.#ending.abort();
    this.trial?.close();
  }

  /** @param {Model[]} models */
  setModels(models) {
    this.models = models;
    this.order.model ||= models[0]?.name ?? "";
    this.#render();
  }

  /** @param {URLSearchParams} query */
  setQuery(query) {
    this.order = this.#read(query);
    this.#dropTrial();
    this.#render();
  }

  /**
   * Change parts of the trial.
   * @param {Partial<TrialOrder>} change
   */
  change(change) {
    this.order = { ...this.order, ...change };
    const { style, model, mode, strength } = this.order;
    /** @type {Record<string, string>} */
    const query = { style, model, mode, strength: String(strength) };
    this.context.setQuery(new URLSearchParams(style ? query : {}));
    this.#dropTrial();
    this.#render();
  }

  tryOn() {
    this.#dropTrial();
    this.trial = new Trial({ ...this.order }, () => this.#render());
    this.#render();
  }

  /** @param {Style} style */
  async remove(style) {
    if (!(await confirmRemoval(styleName(style)))) {
      return;
    }
    try {
      await send("DELETE", `styles/${style.id}`);
      forgetStyleName(style.id);
      this.context.announce("The style is removed.");
      await this.#reload();
      this.change({ style: "" });
    } catch (error) {
      this.#problem = error;
      this.#render();
    }
  }

  #dropTrial() {
    this.trial?.close();
    this.trial = null;
  }

  /** @param {URLSearchParams} query */
  #read(query) {
    const strength = Number.parseFloat(query.get("strength") ?? "1");
    const model = this.models.find(({ name }) => name === query.get("model")) ?? this.models[0];
    return {
      style: query.get("style") ?? "",
      model: model?.name ?? "",
      mode: query.get("mode") === "distilled" ? "distilled" : "standard",
      strength: strength >= 0 && strength <= 1 ? strength : 1,
    };
  }

  async #reload() {
    this.styles = (await getJson("styles", { signal: this.#ending.signal })).styles;
  }

  /** @param {File[]} files */
  async #add(files) {
    this.#problem = null;
    try {
      for (const file of files) {
        await this.#addOne(file);
      }
    } catch (error) {
      if (this.#ending.signal.aborted) {
        return;
      }
      this.#problem = error;
    }
    this.#upload = null;
    this.#render();
  }

  /** @param {File} file */
  async #addOne(file) {
    const showShare = (/** @type {number} */ share) => {
      this.#upload = { name: file.name, share };
      this.#render();
    };
    showShare(0);
    const { style, isNew } = await uploadStyle(file, showShare, this.#ending.signal);
    keepStyleName(style.id, file.name);
    await this.#reload();
    this.context.announce(isNew ? "The style is added." : "This picture was a style already.");
    this.change({ style: style.id });
  }

  #render() {
    if (!this.#ending.signal.aborted) {
      render(this.#template(), this.context.root);
    }
  }

  #template() {
    const selected = this.styles.find(({ id }) => id === this.order.style);
    return html`<h2>Styles</h2>
      <p class="intro">Images take the texture and the colours of a picture. Try one on, then order a dataset in it.</p>
      <div class=${selected ? "styles has-selected" : "styles"}>
        <div class="stack">
          ${this.#dropPlace()} ${this.#problem ? problemMessage(this.#problem) : nothing} ${this.#gallery()}
        </div>
        ${selected ? trialPanel(this, selected) : nothing}
      </div>
      ${selected ? nothing : codeBlock({ method: "GET", path: "styles" })}`;
  }

  #dropPlace() {
    const isOver = (/** @type {boolean} */ value) => (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      this.#isOver = value;
      this.#render();
    };
    /** @param {DragEvent} event */
    const drop = (event) => {
      event.preventDefault();
      this.#isOver = false;
      void this.#add([...(event.dataTransfer?.files ?? [])]);
    };
    /** @param {Event} event */
    const choose = (event) => {
      const input = /** @type {HTMLInputElement} */ (event.target);
      const files = [...(input.files ?? [])];
      input.value = ""; // the same file can be chosen again
      void this.#add(files);
    };
    return html`<div
      class=${this.#isOver ? "drop over" : "drop"}
      @dragover=${isOver(true)}
      @dragleave=${isOver(false)}
      @drop=${drop}
    >
      <label class="button choose">
        Add pictures
        <input type="file" class="screen-reader" multiple accept=${PICTURE_TYPES} @change=${choose} />
      </label>
      <p class="dim">or drop them here. PNG, JPEG or WebP, 20 MB at most.</p>
      ${
        this.#upload
          ? html`<div class="upload" role="status">
              <span>Sending ${this.#upload.name}</span>
              <progress max="1" .value=${this.#upload.share} aria-label=${`Upload of ${this.#upload.name}`}></progress>
            </div>`
          : nothing
      }
    </div>`;
  }

  #gallery() {
    if (this.styles.length === 0) {
      return html`<p class="dim no-styles">No style yet. Paintings, textiles and photos of materials work well.</p>`;
    }
    return html`<ul class="style-gallery" aria-label="Styles">
      ${[...this.styles].reverse().map((style) => {
        const isSelected = style.id === this.order.style;
        return html`<li>
          <button
            aria-pressed=${isSelected ? "true" : "false"}
            @click=${() => this.change({ style: isSelected ? "" : style.id })}
          >
            <img src=${url(style.thumbnail)} alt="" loading="lazy" />
            <span>${styleName(style)}</span>
          </button>
        </li>`;
      })}
    </ul>`;
  }
}
