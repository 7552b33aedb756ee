/** The card of a model: its blocks, and its figures beside those of real images. */

import { send } from "../../shell/api.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */

/**
 * @typedef {object} Block a part of a card
 * @property {"heading" | "text" | "table" | "code"} kind
 * @property {string} text
 * @property {string[][]} rows of a table; the first row is its head
 */

/** @typedef {{blocks: Block[], figures: Map<string, {model: number, real: number}>}} Card */

/** @type {Map<string, Promise<Card | null>>} */
const cards = new Map();

/**
 * Return the card of a model; null if it has none, or if it cannot be read now.
 * @param {Model} model
 */
export function readCard(model) {
  if (!model.files.includes("card.md")) {
    return Promise.resolve(null);
  }
  let card = cards.get(model.sha256);
  if (!card) {
    card = load(model).catch(() => {
      cards.delete(model.sha256);
      return null;
    });
    cards.set(model.sha256, card);
  }
  return card;
}

/** @param {Model} model */
export function cardPath(model) {
  return `models/${encodeURIComponent(model.name)}/card`;
}

/**
 * @param {Model} model
 * @returns {Promise<Card>}
 */
async function load(model) {
  const blocks = parseCard(await (await send("GET", cardPath(model))).text());
  return { blocks, figures: figuresOf(blocks) };
}

/**
 * Return the blocks of a card. Pictures are left out, because the page shows them itself.
 * @param {string} markdown
 * @returns {Block[]}
 */
export function parseCard(markdown) {
  /** @type {Block[]} */
  const blocks = [];
  for (const part of markdown.split(/^(```[^]*?^```)$/m)) {
    if (part.startsWith("```")) {
      blocks.push(block("code", part.replace(/^```.*\n/, "").replace(/\n?```$/, "")));
      continue;
    }
    for (const text of part.split(/\n\s*\n/).map((each) => each.trim())) {
      if (text.startsWith("#")) {
        blocks.push(block("heading", text.replace(/^#+\s*/, "")));
      } else if (text.startsWith("|")) {
        blocks.push({ ...block("table", ""), rows: tableRows(text) });
      } else if (text && !text.startsWith("![")) {
        blocks.push(block("text", plain(text)));
      }
    }
  }
  return blocks;
}

/**
 * @param {Block["kind"]} kind
 * @param {string} text
 * @returns {Block}
 */
function block(kind, text) {
  return { kind, text, rows: [] };
}

/** @param {string} text */
function tableRows(text) {
  const rows = text.split("\n").map((line) => line.split("|").slice(1, -1).map(plain));
  return rows.filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
}

/**
 * Return a text without the marks of code, emphasis and links.
 * @param {string} text
 */
function plain(text) {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/`|\*\*/g, "")
    .trim();
}

/** @param {Block[]} blocks */
function figuresOf(blocks) {
  /** @type {Card["figures"]} */
  const figures = new Map();
  for (const { rows } of blocks) {
    if (rows[0]?.[2] === "real images") {
      for (const [name, model, real] of rows.slice(1)) {
        // The name ends with the feature network: fd_efflite0.
        figures.set((name ?? "").replace(/_[^_]+$/, ""), { model: Number(model), real: Number(real) });
      }
    }
  }
  return figures;
}
