// The documentation of the HTTP API: a view of /openapi.json that works offline.

/** @import { ViewContext, Route } from "../shell/view.js" */
/** @import { Operation } from "./api/openapi.js" */
import { html, render } from "../vendor/lit-html.js";
import { getJson, url } from "../shell/api.js";
import { operationsOf } from "./api/openapi.js";
import { OperationForm } from "./api/operation_form.js";

export const title = "API";

/** @param {ViewContext} context */
export async function show(context) {
  const document = await getJson("openapi.json");
  const operations = operationsOf(document);
  /** @type {Map<string, OperationForm>} */
  const forms = new Map();
  let words = context.route.query.get("find") ?? "";
  let open = context.route.path[1] ?? "";

  /** @param {string} text */
  function find(text) {
    words = text;
    context.setQuery(new URLSearchParams(text ? { find: text } : {}));
    draw();
  }

  /** @param {Operation} operation */
  function formOf(operation) {
    let form = forms.get(operation.id);
    if (!form) {
      form = new OperationForm(operation, document, draw);
      forms.set(operation.id, form);
    }
    return form;
  }

  function draw() {
    render(page(), context.root);
  }

  function page() {
    const found = operations.filter((each) => each.text.includes(words.toLowerCase()));
    const tags = [...new Set(found.map((each) => each.tag))];
    return html`<div class="row spread">
        <h2>API</h2>
        <a href=${url("openapi.json")}>OpenAPI document</a>
      </div>
      <label class="field find">
        <span>Find an endpoint</span>
        <input
          type="search"
          .value=${words}
          @input=${(/** @type {Event} */ event) => find(/** @type {HTMLInputElement} */ (event.target).value)}
        />
      </label>
      ${found.length === 0 ? html`<p class="dim" role="status">No endpoint has these words.</p>` : ""}
      ${tags.map(
        (tag) =>
          html`<section class="stack endpoints" aria-label=${tag}>
            <h3>${tag}</h3>
            ${found.filter((each) => each.tag === tag).map(entry)}
          </section>`,
      )}`;
  }

  /** The content is drawn only while the fold is open. @param {Operation} operation */
  function entry(operation) {
    const isOpen = operation.id === open || forms.get(operation.id)?.isOpen;
    return html`<details
      class="card operation"
      id=${operation.id}
      ?open=${isOpen}
      @toggle=${(/** @type {Event} */ event) => {
        formOf(operation).isOpen = /** @type {HTMLDetailsElement} */ (event.currentTarget).open;
        open = open === operation.id ? "" : open;
        draw();
      }}
    >
      <summary>
        <span class=${`badge method ${operation.method.toLowerCase()}`}>${operation.method}</span>
        <code>${operation.path}</code>
        <span class="dim">${operation.summary}</span>
      </summary>
      ${isOpen ? formOf(operation).template() : ""}
    </details>`;
  }

  draw();
  return {
    /** @param {Route} route */
    update: (route) => {
      words = route.query.get("find") ?? "";
      open = route.path[1] ?? "";
      draw();
      context.root.querySelector(`#${CSS.escape(open || "-")}`)?.scrollIntoView();
    },
    stop: () => forms.forEach((form) => form.stop()),
  };
}
