// One endpoint: its parameters as a form, its responses, the code of the request, and a button that sends it.

/** @import { Operation, Parameter } from "./openapi.js" */
import { html, nothing } from "../../vendor/lit-html.js";
import { codeBlock } from "../../components/code_block.js";
import { problemMessage } from "../../shell/problem.js";
import { send } from "../../shell/api.js";
import { fieldsOf, typeText } from "./openapi.js";

const MOST_CHARACTERS = 20_000;
const SHOWN_BODY = "application/json";

export class OperationForm {
  /**
   * @param {Operation} operation
   * @param {any} document
   * @param {() => void} redraw
   */
  constructor(operation, document, redraw) {
    this.operation = operation;
    this.document = document;
    this.redraw = redraw;
    this.isOpen = false;
    /** @type {Record<string, string>} */
    this.values = {};
    this.body = "";
    /** @type {unknown} */
    this.answer = nothing;
    /** @type {string | null} */
    this.picture = null;
    this.ending = new AbortController();
  }

  stop() {
    this.ending.abort();
    this.forgetPicture();
  }

  template() {
    const { description, parameters, bodies, responses } = this.operation;
    return html`<div class="stack operation-content">
      ${description ? html`<p class="description">${description}</p>` : nothing}
      <form class="stack" @submit=${(/** @type {Event} */ event) => void this.submit(event)}>
        ${parameters.map((each) => this.parameter(each))}
        ${Object.entries(bodies).map(([type, schema]) => this.bodyField(type, schema))}
        <div><button class="primary">Send</button></div>
      </form>
      ${this.answer} ${codeBlock(this.request())}
      <h4>Responses</h4>
      <ul class="responses">
        ${responses.map(
          (each) =>
            html`<li>
              <span class="badge">${each.status}</span> ${each.description}
              <span class="dim">${each.types.join(", ")}</span>
              ${each.status < "300" ? this.fields(each.schema, `Fields of ${each.status}`) : nothing}
            </li>`,
        )}
      </ul>
    </div>`;
  }

  /** @param {Parameter} parameter */
  parameter({ name, in: place, required, description, schema }) {
    return html`<label class="field">
      <span
        ><code>${name}</code> ${required ? html`<strong>required</strong>` : nothing} (${place},
        ${typeText(schema, this.document)})</span
      >
      <input
        name=${name}
        ?required=${required}
        .value=${this.values[name] ?? ""}
        @input=${(/** @type {Event} */ event) => {
          this.values[name] = /** @type {HTMLInputElement} */ (event.target).value;
          this.redraw();
        }}
      />
      ${description ? html`<span class="hint">${description}</span>` : nothing}
    </label>`;
  }

  /**
   * @param {string} type
   * @param {any} schema
   */
  bodyField(type, schema) {
    if (type !== SHOWN_BODY) {
      return html`<p class="dim">The body is <code>${type}</code>. Send a file with the code of a client.</p>`;
    }
    return html`<label class="field">
        <span>Body, JSON</span>
        <textarea
          rows="4"
          spellcheck="false"
          .value=${this.body}
          @input=${(/** @type {Event} */ event) => {
            this.body = /** @type {HTMLTextAreaElement} */ (event.target).value;
            this.redraw();
          }}
        ></textarea>
      </label>
      ${this.fields(schema, "Fields of the body")}`;
  }

  /**
   * @param {any} schema
   * @param {string} title
   */
  fields(schema, title) {
    const fields = fieldsOf(schema, this.document);
    if (fields.length === 0) {
      return nothing;
    }
    return html`<details class="code">
      <summary>${title}</summary>
      <dl class="fields">
        ${fields.map(
          ({ name, type, description, isRequired }) =>
            html`<dt><code>${name}</code> <span class="dim">${type}${isRequired ? "" : ", optional"}</span></dt>
              <dd>${description}</dd>`,
        )}
      </dl>
    </details>`;
  }

  request() {
    const { method, path, parameters } = this.operation;
    const filled = path.replace(/\{(\w+)\}/g, (hole, name) =>
      this.values[name] ? encodeURIComponent(this.values[name]) : hole,
    );
    const query = new URLSearchParams();
    for (const { name, in: place } of parameters) {
      if (place === "query" && this.values[name]) {
        query.set(name, this.values[name]);
      }
    }
    return { method, path: filled.slice(1), query, json: this.json() };
  }

  headers() {
    const named = this.operation.parameters.filter((each) => each.in === "header" && this.values[each.name]);
    return Object.fromEntries(named.map(({ name }) => [name, this.values[name] ?? ""]));
  }

  json() {
    try {
      return this.body.trim() ? JSON.parse(this.body) : undefined;
    } catch {
      return undefined;
    }
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    const { method, path, query } = this.request();
    const hasBody = this.body.trim() !== "";
    this.forgetPicture();
    try {
      const response = await send(method, path, {
        query,
        body: hasBody ? this.body : undefined,
        headers: { ...this.headers(), ...(hasBody ? { "Content-Type": SHOWN_BODY } : {}) },
        signal: this.ending.signal,
      });
      this.answer = html`<div class="stack" role="status">
        <p>
          <span class="badge good">${response.status}</span> ${response.headers.get("Content-Type") ?? "no content"}
        </p>
        ${await this.content(response)}
      </div>`;
    } catch (error) {
      this.answer = problemMessage(error);
    }
    this.redraw();
  }

  /** @param {Response} response */
  async content(response) {
    const type = response.headers.get("Content-Type") ?? "";
    if (type.startsWith("image/")) {
      this.picture = URL.createObjectURL(await response.blob());
      return html`<img src=${this.picture} alt="The image of the response" />`;
    }
    if (type.includes("json") || type.startsWith("text/plain")) {
      const text = await response.text();
      const pretty = type.includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
      return html`<pre tabindex="0">${pretty.slice(0, MOST_CHARACTERS)}</pre>`;
    }
    await response.body?.cancel();
    return nothing;
  }

  forgetPicture() {
    if (this.picture) {
      URL.revokeObjectURL(this.picture);
      this.picture = null;
    }
  }
}
