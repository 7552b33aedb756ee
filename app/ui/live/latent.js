// The input of the generator at a point: z, and the weights of the classes.

import { sampleLatent } from "./philox.js";

/**
 * @typedef {import("./point.js").Point} Point
 * @typedef {{name: string, kind: string, r2: number, low: number, high: number, vector: number[]}} Slider
 */

/**
 * Return z at a point: the sum is in double precision, in the order given, and is rounded once.
 *
 * @param {Point} point
 * @param {number} size
 * @param {Slider[]} sliders
 * @returns {Float32Array}
 * @throws {RangeError} if the model has no slider of a name
 */
export function latentOf(point, size, sliders) {
  const sum = new Float64Array(size);
  for (const [seed, index, weight] of point.at) {
    const latent = sampleLatent(size, seed, index);
    for (let i = 0; i < size; i++) {
      sum[i] += weight * latent[i];
    }
  }
  const shift = new Float64Array(size);
  for (const [name, sigmas] of Object.entries(point.shift ?? {})) {
    const slider = sliders.find((each) => each.name === name);
    if (!slider) {
      throw new RangeError(`shift: the model has no slider "${name}"`);
    }
    for (let i = 0; i < size; i++) {
      shift[i] += sigmas * slider.vector[i];
    }
  }
  const truncation = point.truncation ?? 1;
  return Float32Array.from(sum, (value, i) => truncation * value + shift[i]);
}

/**
 * Return the weight of each class, in the order of the classes. Their sum is 1.
 *
 * @param {Point} point
 * @param {string[]} classes
 * @returns {number[]}
 * @throws {RangeError} if the model has no class of a name, or if the weights sum to zero
 */
export function classWeightsOf(point, classes) {
  if (!classes.length) {
    return [];
  }
  const named = Object.entries(point.classes ?? {});
  // Without classes, the index selects the class, as in an address.
  if (!named.length) {
    return classes.map((_, label) => (label === point.at[0][1] % classes.length ? 1 : 0));
  }
  const unknown = named.find(([name]) => !classes.includes(name));
  if (unknown) {
    throw new RangeError(`classes: the model has no class "${unknown[0]}"`);
  }
  const total = named.reduce((sum, [, weight]) => sum + weight, 0);
  if (!total) {
    throw new RangeError("classes: the weights sum to zero");
  }
  return classes.map((name) => (point.classes?.[name] ?? 0) / total);
}
