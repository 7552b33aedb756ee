// The type of a job. This module has types only.

/**
 * @typedef {object} Job the parts of a job of the API that the page uses
 * @property {string} id
 * @property {"queued" | "running" | "succeeded" | "failed" | "cancelled"} state
 * @property {boolean} done
 * @property {string | null} phase
 * @property {string | null} name
 * @property {string} model
 * @property {number} resolution
 * @property {number} n
 * @property {number} seed
 * @property {string | null} class
 * @property {Record<string, number> | null} classes
 * @property {number | null} keep
 * @property {string} copies
 * @property {number | null} distinct
 * @property {string | null} split
 * @property {number} start
 * @property {string} format
 * @property {string | null} layout
 * @property {{id: string} | null} style
 * @property {string | null} extends
 * @property {string | null} curates
 * @property {number} excluded
 * @property {number} images_done
 * @property {number | null} images_committed
 * @property {number} images_total
 * @property {number | null} style_learnt
 * @property {number | null} images_per_s
 * @property {number | null} eta_seconds
 * @property {string} created
 * @property {string | null} finished
 * @property {string | null} expires
 * @property {{code: string, message: string, retryable: boolean} | null} error
 * @property {Record<string, string | null>} links
 */

export {};
