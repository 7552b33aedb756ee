// One training run: its curves, its samples after every epoch under one slider, and the events of the guard.

/** @import { ViewContext } from "../../shell/view.js" */
/** @import { RunSummary } from "./run_data.js" */
import { html, nothing, render } from "../../vendor/lit-html.js";
import { countText, durationText } from "../../components/quantities.js";
import { codeBlock } from "../../components/code_block.js";
import { runCharts, runTable } from "./run_charts.js";
import { RunData, readRuns, repeatWhileVisible, stateBadge } from "./run_data.js";
import { runSamples, sheetAt } from "./run_samples.js";

const FILM_MS = 250;

/**
 * @param {ViewContext} context
 * @param {number} number
 */
export async function showRun(context, number) {
  const ending = new AbortController();
  const data = new RunData(number);
  /** @type {RunData | null} */
  let other = null;
  /** @type {RunSummary[]} */
  let runs = [];
  let film = 0;
  let isTableOpen = false;
  let query = context.route.query;

  const end = () => data.log.at(-1)?.images_seen ?? 0;
  const cursor = () => Number(query.get("at") ?? end());
  const beside = () => (query.has("beside") ? Number(query.get("beside")) : null);

  /**
   * @param {string} name
   * @param {string | null} value
   */
  function set(name, value) {
    if (value === null) {
      query.delete(name);
    } else {
      query.set(name, value);
    }
    context.setQuery(query);
    draw();
  }

  /** A cursor at the end is not kept in the address, so that it follows a run that trains. @param {number} images */
  function moveCursor(images) {
    set("at", images >= end() ? null : String(Math.round(images)));
  }

  async function loadOther() {
    const wanted = query.get("with");
    if (wanted === null) {
      other = null;
    } else if (other?.number !== Number(wanted)) {
      const found = new RunData(Number(wanted));
      await found.read(ending.signal);
      other = found;
    }
  }

  /** @param {string} wanted */
  async function compare(wanted) {
    set("with", wanted || null);
    await loadOther().catch(() => set("with", null)); // the folder has been removed
    draw();
  }

  function play() {
    if (film) {
      stopFilm();
    } else {
      const samples = data.run?.samples ?? [];
      let place = sheetAt(data, cursor()) === samples.at(-1) ? -1 : samples.indexOf(sheetAt(data, cursor()) ?? 0);
      film = setInterval(() => {
        place += 1;
        moveCursor(samples[place] ?? end());
        if (place >= samples.length - 1) {
          stopFilm();
        }
      }, FILM_MS);
    }
    draw();
  }

  function stopFilm() {
    clearInterval(film);
    film = 0;
    draw();
  }

  async function follow() {
    if (data.run?.state === "running" || data.log.length === 0) {
      await data.read(ending.signal);
      draw();
    }
  }

  function draw() {
    if (!ending.signal.aborted) {
      render(page(), context.root);
    }
  }

  function page() {
    const run = /** @type {NonNullable<RunData["run"]>} */ (data.run);
    const { words, look } = stateBadge(run);
    const events = data.log.flatMap((line) => line.events.map((event) => ({ images: line.images_seen, event })));
    return html`<div class="row spread">
        <h2>Run ${run.number}: ${run.name}</h2>
        <a href="#/runs">All runs</a>
      </div>
      <div class="row run-facts">
        <span class=${look}>${words}</span>
        <span>Epoch ${countText(run.epochs)}</span>
        <span>${countText(run.images_seen)} images</span>
        <span>${durationText(run.seconds)}</span>
        <label class="row compare">
          Compare with
          <select
            name="with"
            @change=${(/** @type {Event} */ event) => void compare(/** @type {HTMLSelectElement} */ (event.target).value)}
          >
            <option value="" ?selected=${other === null}>no run</option>
            ${runs
              .filter((each) => each.number !== number)
              .map(
                (each) =>
                  html`<option value=${each.number} ?selected=${other?.number === each.number}>
                    ${each.number} ${each.name}
                  </option>`,
              )}
          </select>
        </label>
      </div>
      ${runSamples({
        data,
        other,
        cursor: cursor(),
        beside: beside(),
        isPlaying: film !== 0,
        onCursor: moveCursor,
        onBeside: (images) => set("beside", images === null ? null : String(images)),
        onPlay: play,
      })}
      ${data.log.length > 0 ? runCharts(data, other, cursor(), moveCursor) : html`<p class="dim">No epoch yet.</p>`}
      ${events.length > 0 ? guardEvents(events, moveCursor) : nothing}
      ${runTable(data, isTableOpen, (isOpen) => {
        isTableOpen = isOpen;
        draw();
      })}
      ${codeBlock({ method: "GET", path: `runs/${number}/log` })}`;
  }

  await data.read(ending.signal);
  await loadOther().catch(() => set("with", null));
  ({ runs } = await readRuns());
  context.setTitle(`Run ${number}`);
  draw();
  repeatWhileVisible(follow, ending.signal);
  return {
    /** @param {import("../../shell/view.js").Route} route */
    update: (route) => {
      query = route.query;
      void loadOther().then(draw, draw);
    },
    stop: () => {
      ending.abort();
      clearInterval(film);
    },
  };
}

/**
 * @param {{images: number, event: string}[]} events
 * @param {(images: number) => void} onCursor
 */
function guardEvents(events, onCursor) {
  return html`<section class="card stack" aria-label="Events of the guard">
    <h3>Events of the guard</h3>
    <ol class="events">
      ${events.map(
        ({ images, event }) =>
          html`<li>
            <button class="quiet small" @click=${() => onCursor(images)}>${countText(images)} images</button>
            <span>${event}</span>
          </li>`,
      )}
    </ol>
  </section>`;
}
