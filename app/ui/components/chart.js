// A line chart as SVG. It is drawn without text, which would be stretched; labels stand around it.

import { html, nothing, svg } from "../vendor/lit-html.js";

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {"first" | "second" | "third"} look colour and dashes
 * @property {boolean} [isOther] whether it belongs to a run that is compared: it is drawn thinner
 * @property {(readonly [number, number | null])[]} points x and y; null where there is no value
 */

/**
 * @typedef {object} ChartOptions
 * @property {string} title
 * @property {Line[]} lines
 * @property {number} end the largest x
 * @property {number} cursor x of the cursor
 * @property {number[]} marks x of events
 * @property {(x: number) => void} onCursor is called when the user points at a place
 */

const WIDTH = 1000;
const HEIGHT = 300;
const FORMAT = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** @param {number | null | undefined} value */
export function figure(value) {
  return value === null || value === undefined ? "–" : FORMAT.format(value);
}

/** @param {ChartOptions} options */
export function chart({ title, lines, end, cursor, marks, onCursor }) {
  const values = lines.flatMap((line) => line.points.map(([, y]) => y)).filter((y) => y !== null);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const spread = high - low || 1;
  /** @param {number} x */
  const left = (x) => (x / (end || 1)) * WIDTH;
  /** @param {number} y */
  const top = (y) => HEIGHT - ((y - low) / spread) * (HEIGHT - 20) - 10;
  const words = lines.map((line) => `${line.name} ${figure(valueAt(line, cursor))}`).join(", ");

  /** @param {PointerEvent} event */
  function point(event) {
    if (event.type === "pointermove" && event.buttons === 0) {
      return;
    }
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    onCursor(Math.max(0, Math.min(1, share)) * end);
  }

  return html`<figure class="chart">
    <figcaption>
      <h3>${title}</h3>
      <ul class="legend">
        ${lines.map(
          (line) =>
            html`<li>
              <svg class="key" viewBox="0 0 20 6" aria-hidden="true">
                <line class=${lookOf(line)} x1="0" y1="3" x2="20" y2="3" />
              </svg>
              ${line.name} <strong class="number">${figure(valueAt(line, cursor))}</strong>
            </li>`,
        )}
      </ul>
    </figcaption>
    <div class="plot">
      <span class="bound">${values.length ? figure(high) : nothing}</span>
      <svg
        viewBox=${`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label=${`${title} at ${FORMAT.format(cursor)} images: ${words}`}
        @pointerdown=${point}
        @pointermove=${point}
      >
        ${marks.map((x) => svg`<line class="mark" x1=${left(x)} y1="0" x2=${left(x)} y2=${HEIGHT} />`)}
        ${lines.map((line) => svg`<path class=${lookOf(line)} d=${pathOf(line, left, top)} />`)}
        <line class="cursor" x1=${left(cursor)} y1="0" x2=${left(cursor)} y2=${HEIGHT} />
      </svg>
      <span class="bound">${values.length ? figure(low) : nothing}</span>
    </div>
  </figure>`;
}

/**
 * Return the last value of a line at or before a place.
 * @param {Line} line
 * @param {number} x
 */
export function valueAt(line, x) {
  let found = null;
  for (const [place, value] of line.points) {
    if (place <= x && value !== null) {
      found = value;
    }
  }
  return found;
}

/** @param {Line} line */
function lookOf(line) {
  return `line ${line.look}${line.isOther ? " other" : ""}`;
}

/**
 * Return the path of a line. It is broken where a run has been rolled back. Metrics are measured in some epochs only,
 * so a missing value does not break it.
 * @param {Line} line
 * @param {(x: number) => number} left
 * @param {(y: number) => number} top
 */
function pathOf(line, left, top) {
  let path = "";
  let before = Number.POSITIVE_INFINITY;
  for (const [x, y] of line.points) {
    if (y !== null) {
      path += `${x > before ? "L" : "M"}${left(x).toFixed(1)} ${top(y).toFixed(1)}`;
      before = x;
    }
  }
  return path;
}
