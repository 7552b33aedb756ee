// Shows in the header whether the service can render now, and why not.

import { html, render } from "../vendor/lit-html.js";
import { Problem, getJson } from "./api.js";
import { models } from "./model_list.js";
import { askVersion } from "./upgrade.js";

const READY_SECONDS = 15;
const NOT_READY_SECONDS = 2;

/** @param {HTMLElement} place */
export function startHealth(place) {
  let wasReady = true;

  async function look() {
    let isReady = false;
    let words = "";
    try {
      await getJson("readyz");
      isReady = true;
      words = "Ready";
    } catch (error) {
      words = error instanceof Problem ? error.message : String(error);
    }
    if (isReady && !wasReady) {
      void askVersion(); // the service may have been upgraded
      models({ isFresh: true }).catch(() => {});
    }
    wasReady = isReady;
    render(
      html`<span class=${isReady ? "dot good" : "dot bad"} aria-hidden="true"></span><span>${words}</span>`,
      place,
    );
    setTimeout(() => void lookWhenVisible(), (isReady ? READY_SECONDS : NOT_READY_SECONDS) * 1000);
  }

  async function lookWhenVisible() {
    if (document.visibilityState === "visible") {
      await look();
    } else {
      document.addEventListener("visibilitychange", () => void lookWhenVisible(), { once: true });
    }
  }

  void askVersion();
  void look();
}
