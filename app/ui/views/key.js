// The view that asks for an API key.

/** @import { ViewContext } from "../shell/view.js" */
import { html, nothing, render } from "../vendor/lit-html.js";
import { models } from "../shell/model_list.js";
import { endSession, readSession, startSession } from "../shell/session.js";

export const title = "Key";

/** @param {ViewContext} context */
export async function show(context) {
  let fault = "";
  let isBusy = false;
  let session = await readSession();

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    isBusy = true;
    fault = "";
    draw();
    try {
      session = await startSession(String(new FormData(form).get("key")).trim());
      form.reset();
      void models({ isFresh: true }).catch(() => {});
      context.announce(`You use the key of ${session.owner}.`);
      const next = context.route.query.get("next");
      if (next?.startsWith("#/")) {
        location.hash = next;
      }
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
    isBusy = false;
    draw();
  }

  async function forget() {
    await endSession();
    session = await readSession();
    draw();
  }

  function draw() {
    render(page(), context.root);
  }

  function page() {
    if (!session.needs_key) {
      return html`<h2>Key</h2>
        <p>This service needs no key.</p>`;
    }
    if (session.owner !== null) {
      return html`<h2>Key</h2>
        <p>This browser uses the key of <strong>${session.owner}</strong> for at most 12 hours.</p>
        <div class="row">
          <a class="button primary" href="#/play">Play</a>
          <button @click=${() => void forget()}>Forget the key</button>
        </div>`;
    }
    return html`<h2>Key</h2>
      <form class="card key-form" @submit=${submit}>
        <p>This service needs a key. Its operator makes one with <code>imagemill keys add NAME</code>.</p>
        <input name="owner" autocomplete="username" hidden />
        <label class="field">
          <span>Key</span>
          <input
            name="key"
            type="password"
            required
            maxlength="200"
            autocomplete="current-password"
            spellcheck="false"
            aria-invalid=${fault ? "true" : "false"}
            aria-describedby="key-fault"
          />
        </label>
        <p id="key-fault" class="field-error" role="alert">${fault || nothing}</p>
        <button class="primary" ?disabled=${isBusy}>Use this key</button>
        <p class="hint">The browser gets a cookie in place of the key. No script can read the cookie.</p>
      </form>`;
  }

  draw();
}
