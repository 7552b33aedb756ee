// The pictures that can be styles, the place where new ones are dropped, and the uploads that run.

import { hashOf } from "../../shell/router.js";
import { url } from "../../shell/api.js";
import { html, nothing } from "../../vendor/lit-html.js";

/** @import { Style } from "./upload.js" */

/**
 * @typedef {object} Upload
 * @property {string} name of the file
 * @property {number} share that was sent, from 0 to 1
 * @property {string} error why it failed; empty if it did not
 */

/**
 * @typedef {object} GalleryOptions
 * @property {Style[]} styles
 * @property {string} chosen id of the style that is tried on
 * @property {Upload[]} uploads
 * @property {(files: File[]) => void} onFiles
 * @property {(style: Style) => void} onRemove
 * @property {(upload: Upload) => void} onDismiss
 * @property {(style: Style) => URLSearchParams} queryOf query of this view with a style
 */

/** @param {GalleryOptions} options */
export function styleGallery({ styles, chosen, uploads, onFiles, onRemove, onDismiss, queryOf }) {
  return html`<ul class="style-grid">
    <li>${dropZone(onFiles)}</li>
    ${uploads.map((upload) => html`<li class="upload">${uploadState(upload, onDismiss)}</li>`)}
    ${styles.map((style, place) => {
      const name = nameOf(styles, place);
      return html`<li class="style" data-style=${style.id}>
        <a class="style-picture" href=${hashOf(["styles"], queryOf(style))} aria-current=${String(style.id === chosen)}>
          <img src=${url(style.thumbnail)} alt=${`Try on ${name}`} loading="lazy" decoding="async" />
        </a>
        <div class="row spread">
          <span class="hint" title=${style.id}>${style.width} × ${style.height}</span>
          <button class="quiet small" aria-label=${`Remove ${name}`} @click=${() => onRemove(style)}>Remove…</button>
        </div>
      </li>`;
    })}
  </ul>`;
}

/**
 * Return the name of a style. Styles have no names of their own; the newest one has the highest number.
 * @param {Style[]} styles the newest first
 * @param {number} place
 */
export function nameOf(styles, place) {
  return `style ${styles.length - place}`;
}

/** @param {(files: File[]) => void} onFiles */
function dropZone(onFiles) {
  /** @param {Event} event */
  function choose(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    onFiles([...(input.files ?? [])]);
    input.value = ""; // the same file can be chosen again
  }
  return html`<label class="drop-zone">
    <input
      class="screen-reader"
      type="file"
      multiple
      accept="image/png,image/jpeg,image/webp"
      aria-describedby="drop-limits"
      @change=${choose}
    />
    <strong>Add pictures</strong>
    <span>Drop, paste or choose them</span>
    <span class="hint" id="drop-limits">PNG, JPEG or WebP, up to 20 MB and 40 megapixels</span>
  </label>`;
}

/**
 * @param {Upload} upload
 * @param {(upload: Upload) => void} onDismiss
 */
function uploadState(upload, onDismiss) {
  if (!upload.error) {
    return html`<span class="upload-name">${upload.name}</span>
      <progress max="1" value=${upload.share} aria-label=${`Upload of ${upload.name}`}></progress>
      <span class="hint">${upload.share < 1 ? `${Math.round(upload.share * 100)} %` : "Reading the picture …"}</span>`;
  }
  return html`<span class="upload-name">${upload.name}</span>
    <span class="bad-text" role="alert">${upload.error}</span>
    <button class="quiet small" aria-label=${`Dismiss the error of ${upload.name}`} @click=${() => onDismiss(upload)}>
      Dismiss
    </button>
    ${nothing}`;
}
