// Loads what the first image needs while the view that shows it is still loading.

import { models } from "../shell/model_list.js";
import { preloadEngineFiles } from "./engine_files.js";

/**
 * Load the files of a model, or of the default model. Errors are left to the view, which asks again.
 *
 * @param {string} [name]
 */
export async function preloadModel(name) {
  const list = await models().catch(() => []);
  const entry = list.find((model) => model.name === name) ?? list[0];
  if (entry) {
    preloadEngineFiles(entry);
  }
}
