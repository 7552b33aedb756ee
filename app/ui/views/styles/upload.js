// Uploads of style images, with their progress. `fetch` reports none, so they are sent by XMLHttpRequest.

import { Problem, url } from "../../shell/api.js";

/** @typedef {{id: string, width: number, height: number, created: string, thumbnail: string}} Style */

/** The limit of the service: app/styles/limits.py. A larger file is not sent at all. */
const MOST_BYTES = 20_000_000;

/**
 * Upload a file as a style. Rejects with Problem if the service refuses it, and with Error if it is too large.
 * @param {File} file
 * @param {(share: number) => void} onProgress is called with the share that was sent, from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Style>}
 */
export function uploadStyle(file, onProgress, signal) {
  if (file.size > MOST_BYTES) {
    const size = (file.size / 1_000_000).toFixed(1);
    return Promise.reject(new Error(`${size} MB is too large; a file may have ${MOST_BYTES / 1_000_000} MB`));
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url("styles"));
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    request.addEventListener("load", () =>
      request.status < 300 ? resolve(request.response) : reject(problemOf(request)),
    );
    request.addEventListener("error", () => reject(problemOf(request)));
    request.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

/** @param {XMLHttpRequest} request */
function problemOf({ status, response }) {
  if (status === 401) {
    dispatchEvent(new CustomEvent("imagemill:unauthorized"));
  }
  return new Problem(status, response ?? { detail: "The service cannot be reached." }, null);
}
