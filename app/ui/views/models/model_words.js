// A model in plain words.

/** @import { Model } from "../../shell/model_list.js" */
/** @import { Metric } from "./model_card.js" */

const COUNT = new Intl.NumberFormat("en");
const FIGURE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** @param {number} value */
export function count(value) {
  return COUNT.format(value);
}

/** @param {number} value */
export function figure(value) {
  return FIGURE.format(value);
}

/** @param {number} share */
export function percent(share) {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** @param {Model} model */
export function speedText({ images_per_s: speed }) {
  return speed ? `${count(Math.round(speed))}/s` : "not measured yet";
}

/** @param {Model} model */
export function workersText({ workers, numerics }) {
  if (workers === 0) return "No worker has it now; jobs wait.";
  return `${workers} ${workers === 1 ? "worker" : "workers"} (${numerics.name})`;
}

/** @param {Model} model */
export function originText({ data, training_images: counts }) {
  const total = Object.values(counts ?? {}).reduce((sum, each) => sum + each, 0);
  return total ? `${count(total)} images of ${data}` : data;
}

/**
 * Return how real the images look, in a sentence.
 * @param {Metric} yields
 */
export function realismText({ model, real }) {
  const compared = real === null ? "" : ` Of real images it would be ${Math.round(real * 100)}.`;
  return `${Math.round(model * 100)} of 100 images look real.${compared}`;
}

/**
 * Return the distance from real images, in a sentence.
 * @param {Metric} distance
 */
export function distanceText({ model, real }) {
  const compared = real === null ? "" : ` Two halves of the real images are ${figure(real)} apart.`;
  return `${figure(model)}; lower is better.${compared}`;
}

/**
 * Return what an uneven number of training images means; empty if it is even.
 * @param {Record<string, number>} counts
 */
export function imbalanceText(counts) {
  const sorted = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const [most, least] = [sorted[0], sorted.at(-1)];
  if (!most || !least || most[1] < 1.5 * least[1]) {
    return "All classes have about the same number of training images.";
  }
  const times = most[1] / Math.max(1, least[1]);
  return `The model saw ${figure(Math.round(times * 10) / 10)} times as many images of ${most[0]} as of ${least[0]}. Rare classes often look worse, and vary less.`;
}
