/** The mode One: a single image with all controls. */

import { html } from "../../vendor/lit-html.js";
import { ClassPanel } from "./class_panel.js";
import { moveSlider } from "../../components/slider.js";
import { LookPanel } from "./look_panel.js";
import { StagePanel } from "./stage_panel.js";
import { StartPanel } from "./start_panel.js";
import { TowardsPanel } from "./towards_panel.js";
import { VariationsPanel } from "./variations_panel.js";

/** @typedef {import("./player.js").Player} Player */

export class OneMode {
  /**
   * @param {Player} player
   * @param {(model: string | null, query: URLSearchParams) => void} openAddress
   * @param {HTMLElement | null} first the image to show until the first one is drawn
   */
  constructor(player, openAddress, first) {
    this.player = player;
    this.stage = new StagePanel(player, first);
    this.start = new StartPanel(player, openAddress);
    this.towards = new TowardsPanel(player);
    this.classes = new ClassPanel(player);
    this.look = new LookPanel(player);
    this.variations = new VariationsPanel(player);
  }

  template() {
    return html`<div class="one">
      <div class="left">${this.stage.template()} ${this.variations.template()}</div>
      <div class="right">
        ${this.towards.template()} ${this.classes.template()} ${this.start.template()} ${this.look.template()}
      </div>
    </div>`;
  }

  /** @param {HTMLElement} root */
  mounted(root) {
    this.root = root;
    this.stage.mounted(root);
  }

  moved() {
    this.stage.moved();
    const slider = /** @type {HTMLInputElement | null} */ (this.root?.querySelector("[name=between]"));
    const { between } = this.player.state;
    if (slider) moveSlider(slider, between, `${Math.round(100 * between)} %`);
  }

  rested() {
    this.stage.rested();
  }

  close() {
    this.towards.close();
    this.stage.close();
  }
}
