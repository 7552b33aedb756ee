// The models of the service. The list is read once, and again when a view asks for it.

import { getJson } from "./api.js";

/**
 * @typedef {object} Model an entry of GET /models
 * @property {string} name
 * @property {string} sha256
 * @property {string} data what the model was trained on
 * @property {string} licence of the data
 * @property {Record<string, number>} metrics
 * @property {{name: string}} numerics
 * @property {string | null} gate checksum of the quality gate
 * @property {Record<string, number> | null} training_images number of training images of each class
 * @property {string[]} classes
 * @property {number} resolution
 * @property {string[]} files the files of the model that the service has
 * @property {boolean} default
 * @property {number} workers
 * @property {number | null} [images_per_s]
 * @property {{name: string}} numerics
 * @property {string} data the dataset that the model has learnt from
 * @property {string} licence
 * @property {string | null} gate checksum of the quality gate; null if there is none
 * @property {Record<string, number> | null} class_yields share of the images of each class that look real
 * @property {Record<string, number>} metrics
 * @property {Record<string, any>[]} effects quality for several values of keep
 * @property {string | null} judge feature network of these figures
 * @property {Record<string, number> | null} training_images number of training images of each class
 */

/** @type {Promise<Model[]> | null} */
let list = null;
/** @type {Set<(models: Model[]) => void>} */
const listeners = new Set();

/**
 * Return all models, the default one first. Throws Problem.
 * @param {{isFresh?: boolean}} [options] `isFresh` reads the list again
 * @returns {Promise<Model[]>}
 */
export function models(options = {}) {
  if (!list || options.isFresh) {
    list = readModels();
    list.catch(() => {
      list = null;
    });
  }
  return list;
}

/**
 * Call a function with the models, now and whenever they are read again.
 * @param {(models: Model[]) => void} callback
 * @returns {() => void} ends the calls
 */
export function onModels(callback) {
  listeners.add(callback);
  models().then(callback, () => {});
  return () => listeners.delete(callback);
}

async function readModels() {
  /** @type {{models: Model[]}} */
  const { models: found } = await getJson("models");
  found.sort((a, b) => Number(b.default) - Number(a.default) || a.name.localeCompare(b.name));
  if (found.length === 0) {
    list = null; // workers are still starting: ask again next time
  }
  for (const listener of listeners) {
    listener(found);
  }
  return found;
}
