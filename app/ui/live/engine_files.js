// The files of the engine: its code, and the program and weights of a model.

import { getJson, send } from "../shell/api.js";

/**
 * @typedef {import("./engine.js").EngineFile} EngineFile
 * @typedef {{sha256: string, files: string[]}} FileOwner an entry of GET /models
 * @typedef {{module: WebAssembly.Module, file: EngineFile, weights: ArrayBuffer}} EngineFiles
 */

const CODE_URL = new URL("./engine.wasm", import.meta.url).href;
const ENGINE = "engine-1.json";
const WEIGHTS = "weights-1.bin";

/** @type {Promise<WebAssembly.Module> | undefined} */
let compiled;
/** @type {Map<string, Promise<EngineFiles | undefined>>} files that were loaded before a view needs them */
const preloaded = new Map();

/**
 * Return the path of a file of a model.
 *
 * @param {FileOwner} entry
 * @param {string} name
 */
export function fileOf(entry, name) {
  return `models/${entry.sha256}/${name}`;
}

/**
 * Return whether the service has the files with which a browser draws a model. It has none if the model is too large,
 * or if weights are private.
 *
 * @param {FileOwner} entry
 */
export function hasEngineFiles(entry) {
  return entry.files.includes(ENGINE) && entry.files.includes(WEIGHTS);
}

/**
 * Start to load the files of a model, before a view asks for them.
 *
 * @param {FileOwner} entry
 */
export function preloadEngineFiles(entry) {
  if (hasEngineFiles(entry) && !preloaded.has(entry.sha256)) {
    const files = load(entry);
    files.catch(() => preloaded.delete(entry.sha256));
    preloaded.set(entry.sha256, files);
  }
}

/**
 * Return the files of a model that has some; undefined if this browser cannot run the engine. Rejects with Problem.
 *
 * @param {FileOwner} entry
 * @returns {Promise<EngineFiles | undefined>}
 */
export function takeEngineFiles(entry) {
  const files = preloaded.get(entry.sha256) ?? load(entry);
  preloaded.delete(entry.sha256); // megabytes, which the caller keeps from here on
  return files;
}

/**
 * @param {FileOwner} entry
 * @returns {Promise<EngineFiles | undefined>}
 */
async function load(entry) {
  const code = compile().catch(() => undefined); // without WebAssembly, or without its vector instructions
  const weights = send("GET", fileOf(entry, WEIGHTS)).then((response) => response.arrayBuffer());
  const [module, file, bytes] = await Promise.all([code, getJson(fileOf(entry, ENGINE)), weights]);
  return module && { module, file, weights: bytes };
}

function compile() {
  compiled ??= fetch(CODE_URL)
    .then((response) => response.arrayBuffer())
    .then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}
