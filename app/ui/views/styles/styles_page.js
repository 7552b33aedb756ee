// The page of the view Styles: the gallery beside the panel that tries a style on.

import { codeBlock, pythonLiteral } from "../../components/code_block.js";
import { problemMessage } from "../../components/problem.js";
import { getJson, send, url } from "../../shell/api.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { showDialog } from "../jobs/job_actions.js";
import { Estimate } from "../order/estimate.js";
import { listenForFiles } from "./file_drop.js";
import { nameOf, styleGallery } from "./style_gallery.js";
import { formatStyles, parseStyles, trialRequest } from "./style_state.js";
import { Trial } from "./trial.js";
import { trialPanel } from "./trial_panel.js";
import { uploadStyle } from "./upload.js";

/** @import { Model } from "../../shell/model_list.js" */
/** @import { ViewContext } from "../../shell/view.js" */
/** @import { Upload } from "./style_gallery.js" */
/** @import { StyleState } from "./style_state.js" */
/** @import { Style } from "./upload.js" */

/** Time after the last change until the costs are asked for. */
const QUIET_MS = 200;

export class StylesPage {
  /** @type {Model[]} */
  #models = [];
  /** @type {Upload[]} */
  #uploads = [];
  /** @type {unknown} */
  #problem = null;
  #closing = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {ViewContext} context
   * @param {Style[]} styles the newest first
   */
  constructor(context, styles) {
    this.context = context;
    this.styles = styles;
    this.state = parseStyles(context.route.query);
    this.estimate = new Estimate(() => this.#render());
    this.trial = new Trial(() => this.#render());
    listenForFiles(context.root, (files) => this.#upload(files), this.#closing.signal);
    this.#follow();
  }

  close() {
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.estimate.close();
    this.trial.close();
  }

  /** @param {Model[]} models */
  setModels(models) {
    this.#models = models;
    this.#follow();
  }

  /** @param {URLSearchParams} query */
  read(query) {
    const before = this.state.style;
    this.state = parseStyles(query);
    this.#follow();
    if (this.state.style && this.state.style !== before) {
      this.context.root.querySelector(".trial-panel")?.scrollIntoView({ block: "nearest" });
    }
  }

  get #model() {
    return this.#models.find(({ name }) => name === this.state.model) ?? this.#models[0];
  }

  get #style() {
    return this.styles.find(({ id }) => id === this.state.style);
  }

  /** @param {Partial<StyleState>} change */
  #change(change) {
    this.state = { ...this.state, job: "", ...change };
    this.context.setQuery(formatStyles(this.state));
    this.#follow();
  }

  /** Show what belongs to the state. */
  #follow() {
    clearTimeout(this.#timer);
    void this.trial.follow(this.state.job);
    const model = this.#model;
    if (model && this.#style) {
      void this.trial.showModel(model);
      this.#timer = setTimeout(() => this.estimate.ask(trialRequest(this.state, model.name)), QUIET_MS);
    }
    this.#render();
  }

  async #start() {
    const job = await this.trial.start(trialRequest(this.state, this.#model?.name ?? ""));
    if (job && !this.#closing.signal.aborted) {
      this.state = { ...this.state, job };
      this.context.setQuery(formatStyles(this.state));
    }
  }

  /** @param {File[]} files */
  #upload(files) {
    for (const file of files) {
      void this.#send(file);
    }
  }

  /** @param {File} file */
  async #send(file) {
    const upload = { name: file.name, share: 0, error: "" };
    this.#uploads.push(upload);
    this.#render();
    try {
      const onProgress = (/** @type {number} */ share) => {
        upload.share = share;
        this.#render();
      };
      const style = await uploadStyle(file, onProgress, this.#closing.signal);
      this.#dismiss(upload);
      const isKnown = this.styles.some(({ id }) => id === style.id);
      this.styles = [style, ...this.styles.filter(({ id }) => id !== style.id)];
      this.context.announce(isKnown ? "This picture was there already." : "The picture was added.");
      this.#change({ style: style.id });
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        upload.error = error instanceof Error ? error.message : String(error);
        this.#render();
      }
    }
  }

  /** @param {Upload} upload */
  #dismiss(upload) {
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    this.#render();
  }

  /** @param {Style} style */
  #askToRemove(style) {
    const name = nameOf(this.styles, this.styles.indexOf(style));
    showDialog(
      (close) =>
        html`<h3>Remove ${name}?</h3>
          <img src=${url(style.thumbnail)} alt="" />
          <p>
            Datasets in this style stay. They cannot be rebuilt, and their jobs cannot be repeated, until the same
            picture is uploaded again.
          </p>
          <div class="row">
            <button
              class="danger"
              @click=${() => {
                close();
                void this.#remove(style);
              }}
            >
              Remove
            </button>
            <button @click=${close}>Keep it</button>
          </div>`,
    );
  }

  /** @param {Style} style */
  async #remove(style) {
    try {
      await send("DELETE", `styles/${style.id}`);
      this.#problem = null;
      this.context.announce("The style was removed.");
      this.styles = (await getJson("styles")).styles.reverse();
    } catch (error) {
      this.#problem = error;
    }
    this.#change(this.#style ? {} : { style: "" });
  }

  #render() {
    if (!this.#closing.signal.aborted) {
      render(this.#template(), this.context.root);
    }
  }

  #template() {
    const style = this.#style;
    const { state, styles, trial, estimate } = this;
    return html`<h2>Styles</h2>
      <p class="dim lead">
        A style is a picture whose colours and texture other images take: a painting, a fabric, a photo.
      </p>
      ${this.#problem ? problemMessage(this.#problem) : nothing}
      <div class=${style ? "styles tried" : "styles"}>
        ${styleGallery({
          styles,
          chosen: state.style,
          uploads: this.#uploads,
          onFiles: (files) => this.#upload(files),
          onRemove: (removed) => this.#askToRemove(removed),
          onDismiss: (upload) => this.#dismiss(upload),
          queryOf: ({ id }) => formatStyles({ ...state, style: id, job: id === state.style ? state.job : "" }),
        })}
        ${
          style
            ? trialPanel({
                style,
                name: nameOf(styles, styles.indexOf(style)),
                state,
                models: this.#models,
                model: this.#model,
                trial,
                estimate,
                onChange: (change) => this.#change(change),
                onStart: () => void this.#start(),
              })
            : nothing
        }
      </div>
      ${this.#code(style)}`;
  }

  /** @param {Style | undefined} style */
  #code(style) {
    const server = url("").replace(/\/$/, "");
    const upload = { title: "curl: add a picture", text: `curl -F file=@painting.jpg ${url("styles")}` };
    if (!style || !this.#model) {
      return codeBlock({ method: "GET", path: "styles", more: [upload] });
    }
    const json = trialRequest(this.state, this.#model.name);
    const named = Object.entries(json).map(([name, value]) => `        ${name}=${pythonLiteral(value)},`);
    const python = [
      "from app.client import Client",
      "",
      `with Client(${JSON.stringify(server)}) as client:`,
      "    job = client.generate(",
      ...named,
      "    )",
      '    client.download(job, "styled.zip")',
    ].join("\n");
    return codeBlock({ method: "POST", path: "generate", json, python, more: [upload] });
  }
}
