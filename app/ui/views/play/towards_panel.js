/** The panel Towards: a second face, the way between both, and the walk as a video. */

import { html, nothing } from "../../vendor/lit-html.js";
import { randomSeed } from "../../live/point.js";
import { slider } from "../../components/slider.js";
import { playLink, walkLink, walkName } from "./links.js";
import { between, round } from "./mixing.js";
import { faceAt, faceOf, pointOfFace } from "./play_state.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./mixing.js").Face} Face */

/** Whether this browser can record a video of a canvas. */
const canRecord = typeof MediaRecorder === "function" && MediaRecorder.isTypeSupported("video/webm");

export class TowardsPanel {
  /** @type {import("./walk.js").Animation | null} */
  #animation = null;
  /** @type {AbortController | null} */
  #recording = null;
  #message = "";

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
  }

  template() {
    const { a, b } = this.player.state;
    if (!b) this.#animation?.stop();
    return html`<section class="panel" aria-labelledby="towards-heading">
      <h3 id="towards-heading">Mix with another image</h3>
      ${b ? this.#both(a, b) : this.#invitation()}
    </section>`;
  }

  #invitation() {
    return html`<p class="hint">This image is A. Choose a second image, B, then move between both.</p>
      <div class="row">
        <button type="button" @click=${() => this.#randomTarget()}>Towards another image</button>
        <a class="button" href=${playLink(this.player, { mode: "wall", isPickingB: true })}>Choose B on the wall</a>
        <button type="button" class="quiet" @click=${() => this.#keepAsTarget()}>Keep this one as B</button>
      </div>`;
  }

  /**
   * @param {Face} a
   * @param {Face} b
   */
  #both(a, b) {
    const share = this.player.state.between;
    return html`<div class="towards">
        ${this.#end("A", a, 0)}
        ${slider({
          name: "between",
          label: "Between A and B",
          hasHiddenLabel: true,
          value: share,
          min: 0,
          max: 1,
          step: 0.01,
          format: (value) => `${Math.round(100 * value)} %`,
          onInput: (value) => this.#moveTo(value),
        })}
        ${this.#end("B", b, 1)}
      </div>
      <div class="row">
        <button type="button" @click=${() => this.#toggle()}>${this.#animation?.isRunning ? "Pause" : "Play"}</button>
        <button type="button" @click=${() => this.#randomTarget()}>Another B</button>
        <button type="button" @click=${() => this.player.set({ a: b, b: a, between: round(1 - share) })}>Swap</button>
        ${
          canRecord
            ? html`<button type="button" @click=${() => this.#record()}>
                ${this.#recording ? "Stop" : "Save as video"}
              </button>`
            : nothing
        }
        <a class="button" href=${walkLink(this.player, a, b)}>Order these frames</a>
        <button type="button" class="quiet" @click=${() => this.#leave()}>Stay here</button>
      </div>
      <p class="hint" role="status" data-recording .textContent=${this.#message}></p>`;
  }

  /**
   * @param {string} name
   * @param {Face} face
   * @param {number} share
   */
  #end(name, face, share) {
    const point = pointOfFace(face, this.player.state, this.player.classNames);
    return html`<button type="button" class="face" @click=${() => this.#jump(share)}>
      <face-image .model=${this.player.model} .point=${point}></face-image>
      <span>${name}<span class="screen-reader">: go there</span></span>
    </button>`;
  }

  /** @param {number} share */
  #moveTo(share) {
    this.#animation?.stop();
    this.player.move({ between: share });
  }

  /** @param {number} share */
  #jump(share) {
    this.#animation?.stop();
    this.player.set({ between: share });
  }

  async #toggle() {
    if (this.#animation?.isRunning) {
      this.#jump(this.player.state.between);
      return;
    }
    const { Animation } = await import("./walk.js");
    this.#animation ??= new Animation((share) => this.player.move({ between: share }));
    this.#animation.start(this.player.state.between);
    this.player.refresh();
  }

  #randomTarget() {
    const share = this.player.state.b ? this.player.state.between : 0.5;
    this.player.set({ b: faceAt(randomSeed(), 0), between: share });
  }

  /** Make the face on the stage B, so that the user can look for another A. */
  #keepAsTarget() {
    this.player.set({ b: faceOf(this.player.state, this.player.classNames), between: 0 });
  }

  /** Make the face between both the start, and forget B. */
  #leave() {
    this.close();
    this.player.set({ a: faceOf(this.player.state, this.player.classNames), b: null, between: 0 });
  }

  async #record() {
    if (this.#recording) return this.#recording.abort();
    const { entry, model, state, classNames } = this.player;
    const { a, b } = state;
    if (!b) return;
    const recording = new AbortController();
    this.#recording = recording;
    this.#animation?.stop();
    this.player.refresh();
    const draw = (/** @type {number} */ share) =>
      model.draw(pointOfFace(between(a, b, share, classNames), state, classNames), {
        group: "walk",
        isUrgent: true,
      });
    try {
      const [{ recordLap }, { saveFile }] = await Promise.all([import("./walk.js"), import("./saving.js")]);
      const video = await recordLap(
        draw,
        (done) => this.#say(`Recording: ${Math.round(100 * done)} %`),
        recording.signal,
      );
      saveFile(video, walkName(entry.name, a, b));
      this.#message = "The video is saved.";
    } catch (error) {
      this.#message = recording.signal.aborted ? "" : `The video was not saved: ${error}`;
    }
    this.#recording = null;
    this.player.refresh();
  }

  /** @param {string} message */
  #say(message) {
    const line = document.querySelector("[data-recording]");
    if (line) line.textContent = message;
  }

  /** Stop the animation and the recording. */
  close() {
    this.#animation?.stop();
    this.#recording?.abort();
  }
}
