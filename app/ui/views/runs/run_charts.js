// The curves of a run, with those of a second run if it is compared, and the figures as a table.

/** @import { Line } from "../../components/chart.js" */
/** @import { Epoch, RunData } from "./run_data.js" */
import { html, nothing } from "../../vendor/lit-html.js";
import { countText } from "../../components/quantities.js";
import { chart, figure } from "../../components/chart.js";

/**
 * @param {RunData} data
 * @param {RunData | null} other
 * @param {number} cursor in images seen
 * @param {(images: number) => void} onCursor
 */
export function runCharts(data, other, cursor, onCursor) {
  const end = Math.max(...[data, other].flatMap((each) => each?.log.map((line) => line.images_seen) ?? []), 1);
  const marks = data.log.filter((line) => line.events.length > 0).map((line) => line.images_seen);
  const metrics = [...new Set(data.log.flatMap((line) => Object.keys(line.metrics)))];
  /**
   * @param {string} title
   * @param {[string, Line["look"], (line: Epoch) => number | null][]} figures
   */
  const panel = (title, figures) =>
    chart({ title, lines: linesOf(figures, data, other), end, cursor, marks, onCursor });
  return html`<div class="charts">
    ${panel("Loss", [
      ["generator", "first", (line) => line.loss_g],
      ["discriminator", "second", (line) => line.loss_d],
    ])}
    ${panel("Discriminator's score", [
      ["real images", "first", (line) => line.real_score],
      ["generated images", "second", (line) => line.fake_score],
    ])}
    ${metrics.map((name) => panel(name, [[name, "first", (line) => line.metrics[name] ?? null]]))}
    ${panel("Images per second", [["speed", "third", (line) => line.images_per_s]])}
  </div>`;
}

/**
 * @param {[string, Line["look"], (line: Epoch) => number | null][]} figures
 * @param {RunData} data
 * @param {RunData | null} other
 * @returns {Line[]}
 */
function linesOf(figures, data, other) {
  return figures.flatMap(([name, look, read]) => [
    { name, look, points: pointsOf(data, read) },
    ...(other ? [{ name: `${name}, run ${other.number}`, look, isOther: true, points: pointsOf(other, read) }] : []),
  ]);
}

/**
 * @param {RunData} data
 * @param {(line: Epoch) => number | null} read
 * @returns {[number, number | null][]}
 */
function pointsOf(data, read) {
  return data.log.map((line) => [line.images_seen, read(line)]);
}

/**
 * The figures of all epochs. The rows are drawn only while the fold is open.
 * @param {RunData} data
 * @param {boolean} isOpen
 * @param {(isOpen: boolean) => void} onToggle
 */
export function runTable(data, isOpen, onToggle) {
  const metrics = [...new Set(data.log.flatMap((line) => Object.keys(line.metrics)))];
  return html`<details
    class="code"
    @toggle=${(/** @type {Event} */ event) => onToggle(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}
  >
    <summary>All figures as a table</summary>
    ${isOpen ? figuresTable(data.log, metrics) : nothing}
  </details>`;
}

/**
 * @param {Epoch[]} log
 * @param {string[]} metrics
 */
function figuresTable(log, metrics) {
  const names = ["Epoch", "Images seen", "Loss G", "Loss D", "Real", "Generated", ...metrics, "Images/s"];
  return html`<div class="table-frame figures" tabindex="0" role="region" aria-label="Figures of all epochs">
    <table>
      <thead>
        <tr>
          ${names.map((name) => html`<th scope="col" class="number">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${log.map(
          (line) =>
            html`<tr>
              <th scope="row" class="number">${line.epoch}</th>
              <td class="number">${countText(line.images_seen)}</td>
              ${[
                line.loss_g,
                line.loss_d,
                line.real_score,
                line.fake_score,
                ...metrics.map((name) => line.metrics[name] ?? null),
                line.images_per_s,
              ].map((value) => html`<td class="number">${figure(value)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
