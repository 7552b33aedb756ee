/** A model in plain words. */

import { countText } from "../../components/quantities.js";

/** @typedef {import("../../shell/model_list.js").Model} Model */
/** @typedef {import("./card.js").Card} Card */

const FIGURE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const PERCENT = new Intl.NumberFormat("en", { style: "percent", maximumSignificantDigits: 2 });

/** @param {number | null | undefined} value */
export function figure(value) {
  return value === null || value === undefined || Number.isNaN(value) ? "–" : FIGURE.format(value);
}

/** @param {number | null | undefined} share */
export function percent(share) {
  return share === null || share === undefined || Number.isNaN(share) ? "–" : PERCENT.format(share);
}

/** @param {Model} model */
export function trainingTotal({ training_images: counts }) {
  return counts ? Object.values(counts).reduce((sum, each) => sum + each, 0) : null;
}

/**
 * Return the share of images that look real: of the model, and of real images by the same test.
 * @param {Model} model
 * @param {Card | null} card
 */
export function yieldOf(model, card) {
  const figures = card?.figures.get("yield");
  const [plain] = model.effects;
  return { model: plain?.yield ?? figures?.model ?? null, real: figures?.real ?? null };
}

/**
 * Return the Fréchet distance to the training images, and that of real images.
 * @param {Model} model
 * @param {Card | null} card
 */
export function distanceOf(model, card) {
  const figures = card?.figures.get("fd");
  const named = Object.entries(model.metrics).find(([name]) => name.startsWith("fd_"));
  return { model: figures?.model ?? named?.[1] ?? null, real: figures?.real ?? null };
}

/** @param {Model} model */
export function imbalance({ training_images: counts }) {
  const sorted = Object.entries(counts ?? {}).sort((a, b) => b[1] - a[1]);
  const [most, least] = [sorted[0], sorted.at(-1)];
  if (!most || !least || most === least) {
    return "";
  }
  const times = most[1] / least[1];
  const both = `${most[0]} from ${countText(most[1])} images, and ${least[0]} from ${countText(least[1])}`;
  return times < 1.25
    ? `It learnt all classes from about as many images: ${both}.`
    : `The training images were not balanced: it learnt ${both}, so ${least[0]} may look worse and vary less.`;
}

/**
 * Return how near the images are to training images.
 * @param {Card | null} card
 */
export function likeness(card) {
  const copies = card?.figures.get("copies");
  if (!copies) {
    return "";
  }
  const share = (/** @type {number} */ value) => countText(Math.round(value * 10_000));
  return (
    `Of 10,000 images, ${share(copies.model)} lie so near to a training image that they count as copies; ` +
    `of real images, ${share(copies.real)} do. An order can leave copies out.`
  );
}
