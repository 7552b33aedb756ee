// The table of all training runs.

/** @import { ViewContext } from "../../shell/view.js" */
/** @import { RunSummary } from "./run_data.js" */
import { html, render } from "../../vendor/lit-html.js";
import { countText, durationText } from "../../components/quantities.js";
import { codeBlock } from "../../components/code_block.js";
import { figure } from "../../components/chart.js";
import { emptyState } from "../../shell/problem.js";
import { readRuns, repeatWhileVisible, stateBadge } from "./run_data.js";

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @param {ViewContext} context */
export async function showList(context) {
  const ending = new AbortController();

  async function look() {
    const { has_folder, runs } = await readRuns();
    if (!ending.signal.aborted) {
      render(page(has_folder, runs), context.root);
    }
  }

  await look();
  repeatWhileVisible(look, ending.signal);
  return { stop: () => ending.abort() };
}

/**
 * @param {boolean} hasFolder
 * @param {RunSummary[]} runs
 */
function page(hasFolder, runs) {
  if (!hasFolder) {
    return html`<h2>Runs</h2>
      ${emptyState(html`The service has no folder of training runs. Start it with <code>imagemill up --runs runs</code>.`)}`;
  }
  if (runs.length === 0) {
    return html`<h2>Runs</h2>
      ${emptyState(html`No run yet. Start one with <code>imagemill train DATA</code>; it appears here while it trains.`)}`;
  }
  return html`<h2>Runs</h2>
    <div class="table-frame" tabindex="0" role="region" aria-label="Training runs">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col" class="number">Epochs</th>
            <th scope="col" class="number">Images seen</th>
            <th scope="col" class="number">Time</th>
            <th scope="col">Last metrics</th>
            <th scope="col" class="number">Guard events</th>
            <th scope="col">Last epoch</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map(row)}
        </tbody>
      </table>
    </div>
    ${codeBlock({ method: "GET", path: "runs" })}`;
}

/** @param {RunSummary} run */
function row(run) {
  const { words, look } = stateBadge(run);
  const metrics = Object.entries(run.metrics).map(([name, value]) => `${name} ${figure(value)}`);
  return html`<tr>
    <th scope="row"><a href=${`#/runs/${run.number}`}>${run.number} ${run.name}</a></th>
    <td><span class=${look}>${words}</span></td>
    <td class="number">${countText(run.epochs)}</td>
    <td class="number">${countText(run.images_seen)}</td>
    <td class="number">${durationText(run.seconds)}</td>
    <td>${metrics.join(", ") || "–"}</td>
    <td class="number">${run.events}</td>
    <td>${run.updated_at ? TIME.format(new Date(run.updated_at)) : "–"}</td>
  </tr>`;
}
