/** The page of an order: its form, samples of exactly these images, the estimate and the button Make. */

import { codeBlock, pythonLiteral, quote } from "../../components/code_block.js";
import { problemMessage } from "../../shell/problem.js";
import { countText } from "../../components/quantities.js";
import { Problem, newIdempotencyKey, send, url } from "../../shell/api.js";
import { hashOf } from "../../shell/router.js";
import { html, nothing, render } from "../../vendor/lit-html.js";
import { Estimate } from "./estimate.js";
import { estimateLine, estimateSummary, refusalOf } from "./estimate_line.js";
import { modelCard, stylesSection, whichSection } from "./form_sections.js";
import { optionsSection } from "./option_sections.js";
import { formatCounts } from "./class_counts.js";
import { formatOrder, imagesOf, requestOf } from "./order_state.js";
import { presetsSection } from "./presets.js";
import { Samples } from "./samples.js";
import { whatSection } from "./what_section.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("../../shell/view.js").ViewContext} ViewContext */
/** @typedef {import("./order_state.js").OrderState} OrderState */
/** @typedef {{id: string, thumbnail: string}} Style */

/** Time after the last change until the costs are asked for. */
const QUIET_MS = 200;

export class OrderPage {
  /** @type {import("../../shell/api.js").Problem | Error | null} */
  #error = null;
  #isSending = false;
  /** A double click sends one key twice, and so makes one job. */
  #key = newIdempotencyKey();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {ViewContext} context
   * @param {Model[]} models
   * @param {Style[]} styles
   * @param {OrderState} state
   */
  constructor(context, models, styles, state) {
    this.context = context;
    this.models = models;
    this.styles = styles;
    this.state = state;
    /** The last point and walk of the model, so that the choice among them can be taken back. */
    this.known = { around: state.around, walk: state.walk };
    this.samples = new Samples(() => this.#render());
    this.estimate = new Estimate(() => this.#render());
    this.#follow();
    this.estimate.ask(requestOf(state));
  }

  get model() {
    return /** @type {Model} */ (this.models.find(({ name }) => name === this.state.model));
  }

  /** The last error of the service about this order; null if it accepts the order. */
  get problem() {
    return this.#error instanceof Problem ? this.#error : this.estimate.problem;
  }

  /**
   * Change parts of the order.
   * @param {Partial<OrderState>} change
   */
  change(change) {
    this.state = { ...this.state, ...change };
    const { around, walk } = this.state;
    const before = change.model ? { around: null, walk: null } : this.known;
    this.known = { around: around ?? before.around, walk: walk ?? before.walk };
    this.#key = newIdempotencyKey();
    this.#error = null;
    this.context.setQuery(formatOrder(this.state));
    this.#follow();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.estimate.ask(requestOf(this.state)), QUIET_MS);
  }

  close() {
    clearTimeout(this.#timer);
    this.samples.close();
    this.estimate.close();
  }

  #follow() {
    this.samples.show(this.model);
    this.#render();
  }

  /** @param {Event} event */
  async #make(event) {
    event.preventDefault();
    if (this.#isSending) return;
    this.#isSending = true;
    this.#render();
    try {
      const options = { json: requestOf(this.state), idempotencyKey: this.#key };
      const job = await (await send("POST", "generate", options)).json();
      location.hash = hashOf(["job", job.id]);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#isSending = false;
      this.#render();
      this.context.root.querySelector("[data-field], .order-error")?.scrollIntoView({ block: "nearest" });
    }
  }

  #render() {
    render(this.#template(), this.context.root);
  }

  /** Whether the page was opened with a point or a walk: then this comes first. */
  get isAboutPoints() {
    return Boolean(this.known.around || this.known.walk);
  }

  #template() {
    const images = imagesOf(this.state);
    const refusal = refusalOf(this.estimate);
    return html`<h2>Order a dataset</h2>
      <form class="order" @submit=${(/** @type {Event} */ event) => this.#make(event)}>
        <div class="order-form">
          ${presetsSection(this)} ${modelCard(this)} ${this.isAboutPoints ? whatSection(this) : nothing}
          ${whichSection(this)} ${stylesSection(this)} ${optionsSection(this)}
        </div>
        <aside class="order-side" aria-label="Your order">
          <section aria-labelledby="samples-heading" class="stack">
            <h3 id="samples-heading">${this.samples.heading(this.state)}</h3>
            ${this.samples.template(this.state)}
          </section>
          ${estimateLine(this.estimate, this.model)}
          <div class="make-bar">
            ${estimateSummary(this.estimate)}
            <button class="primary make" ?disabled=${images < 1} aria-disabled=${String(this.#isSending)}>
              ${this.#isSending ? "Ordering …" : `Make ${countText(images)} ${images === 1 ? "image" : "images"}`}
            </button>
            ${refusal && !this.#error ? html`<p class="hint">Not now: ${refusal}</p>` : nothing}
            ${this.#error ? html`<div class="order-error">${problemMessage(this.#error)}</div>` : nothing}
          </div>
          ${codeBlock(this.#code())}
        </aside>
      </form>`;
  }

  #code() {
    const json = requestOf(this.state);
    const server = url("").replace(/\/$/, "");
    const named = Object.entries(json).map(([name, value]) => `    ${parameter(name)}=${pythonLiteral(value)},`);
    const python = [
      "from app.client import Client",
      "",
      `with Client(${JSON.stringify(server)}) as client:`,
      "    job = client.generate(",
      ...named.map((line) => `    ${line}`),
      "    )",
      '    client.download(job, "dataset.zip")',
    ].join("\n");
    return { method: "POST", path: "generate", json, python, command: this.#command(json, server) };
  }

  /**
   * @param {Record<string, unknown>} json
   * @param {string} server
   */
  #command(json, server) {
    const words = ["imagemill generate", `--server ${quote(server)}`];
    for (const [name, value] of Object.entries(json)) {
      const text = name === "classes" ? formatCounts(this.state.counts) : String(value);
      words.push(name === "n" ? `-n ${text}` : `--${name.replace("_", "-")} ${quote(text)}`);
    }
    return words.join(" ");
  }
}

/**
 * Return the name of a parameter in Python, where `class` is a keyword.
 * @param {string} name
 */
function parameter(name) {
  return name === "class" ? "class_" : name;
}
