// The card of a model: its text, and the figures in its table of metrics.

import { markdown, parseMarkdown } from "../../components/markdown.js";
import { send, url } from "../../shell/api.js";

/** @import { Token } from "../../components/markdown.js" */
/** @import { Model } from "../../shell/model_list.js" */

const CARD = "card.md";
const GRID = "grid";

/** @typedef {{model: number, real: number | null}} Metric a figure of the model, and the same of real images */

/**
 * Read the card of a model. Returns no tokens if the service has none. Throws Problem.
 * @param {Model} model
 * @param {AbortSignal} signal
 * @returns {Promise<Token[]>}
 */
export async function readCard(model, signal) {
  if (!model.files.includes(CARD)) {
    return [];
  }
  const response = await send("GET", `models/${encodeURIComponent(model.name)}/card`, { signal });
  return parseMarkdown(await response.text());
}

/**
 * Return the elements of a card. The page shows its title and its first images itself.
 * @param {Model} model
 * @param {Token[]} tokens
 */
export function cardText(model, tokens) {
  const body = tokens.filter((token) => !isTitle(token) && !isGrid(token));
  return markdown(body, { deeper: 2, imageUrl: (address) => pictureUrl(model, pictureOf(address)) });
}

/**
 * Return the address of a picture of a model; null if the service has none.
 * @param {Model} model
 * @param {string} picture grid, strip or plots
 */
export function pictureUrl(model, picture) {
  const has = model.files.includes(`${picture}.png`);
  return has ? url(`models/${encodeURIComponent(model.name)}/pictures/${picture}.png`) : null;
}

/**
 * Return a metric by the beginning of its name, such as "fd". The card has it beside real images.
 * @param {Model} model
 * @param {Token[]} tokens of the card
 * @param {string} name
 * @returns {Metric | null}
 */
export function metric(model, tokens, name) {
  const rows = tokens.find(({ type, header }) => type === "table" && header?.at(-1)?.text === "real images")?.rows;
  const row = rows?.find(([first]) => first?.text.startsWith(`${name}_`));
  const [found, real] = (row ?? []).slice(1).map(({ text }) => Number.parseFloat(text));
  if (found !== undefined && !Number.isNaN(found)) {
    return { model: found, real: real ?? null };
  }
  const [, own] = Object.entries(model.metrics).find(([key]) => key.startsWith(`${name}_`)) ?? [];
  return own === undefined ? null : { model: own, real: null };
}

/**
 * Return the share of a model's images that look real.
 * @param {Model} model
 * @param {Token[]} tokens of the card
 */
export function realism(model, tokens) {
  const whole = model.effects[0]?.["yield"];
  return metric(model, tokens, "yield") ?? (whole === undefined ? null : { model: whole, real: null });
}

/** @param {Token} token */
function isTitle({ type, depth }) {
  return type === "heading" && depth === 1;
}

/** @param {Token} token a paragraph that is the grid of samples alone */
function isGrid({ type, tokens }) {
  return (
    type === "paragraph" &&
    tokens?.length === 1 &&
    tokens[0]?.type === "image" &&
    pictureOf(tokens[0].href ?? "") === GRID
  );
}

/** @param {string} address of a picture in a card, such as "faces-64-strip.png" */
function pictureOf(address) {
  return /-(strip|plots)\.png$/.exec(address)?.[1] ?? GRID;
}
