/** The upload of a picture, with its progress. */

import { Problem, url } from "../../shell/api.js";

/** @typedef {{id: string, width: number, height: number, created: string, thumbnail: string}} Style */

/** The server's limit: app/styles/limits.py. */
const MOST_BYTES = 20_000_000;

/**
 * Upload a picture. Rejects with Problem.
 * `fetch` does not tell how much of a body is sent, so this uses XMLHttpRequest.
 *
 * @param {File} file
 * @param {(share: number) => void} onProgress is called with the share that is sent, from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<{style: Style, isNew: boolean}>}
 */
export function uploadStyle(file, onProgress, signal) {
  if (file.size > MOST_BYTES) {
    const detail = `The picture has ${(file.size / 1e6).toFixed(1)} MB, and the limit is 20 MB. Save it smaller.`;
    return Promise.reject(new Problem(413, { code: "too_large", detail }, null));
  }
  const form = new FormData();
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      if (request.status === 200 || request.status === 201) {
        resolve({ style: request.response, isNew: request.status === 201 });
      } else {
        reject(new Problem(request.status, request.response ?? {}, null));
      }
    });
    request.addEventListener("error", () => {
      reject(new Problem(0, { code: "unreachable", detail: "The service cannot be reached." }, null));
    });
    request.addEventListener("abort", () => reject(new DOMException("The upload was ended.", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url("styles"));
    request.send(form);
  });
}
