// Requests to the service. All addresses are relative to the page, so they work behind any path prefix.

/** The address of the service: the folder above ui/. */
const BASE = new URL("../..", import.meta.url);

/** An error of the service, as a problem document (RFC 9457), or a failed connection (status 0). */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status; 0 if no answer came
   * @param {{code?: string, title?: string, detail?: string, retryable?: boolean, [name: string]: unknown}} document
   * @param {number | null} retryAfter seconds until a retry may succeed
   */
  constructor(status, document, retryAfter) {
    super(document.detail || document.title || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = document.code ?? "";
    this.title = document.title ?? "";
    this.detail = document.detail ?? this.message;
    this.retryable = document.retryable ?? (status === 0 || status === 503);
    this.retryAfter = retryAfter;
    this.document = document;
  }
}

/**
 * Return the absolute address of a path of the service.
 * @param {string} path with or without a leading slash, as in the links of a job
 * @param {URLSearchParams | Record<string, string | number> | undefined} [query]
 */
export function url(path, query) {
  const prefix = BASE.pathname;
  // Links of the API start with the prefix of the proxy.
  const relative = path.startsWith(prefix) ? path.slice(prefix.length) : path.replace(/^\/+/, "");
  const address = new URL(relative, BASE);
  if (query) {
    address.search = new URLSearchParams(/** @type {Record<string, string>} */ (query)).toString();
  }
  return address.href;
}

/**
 * @typedef {object} RequestOptions
 * @property {URLSearchParams | Record<string, string | number>} [query]
 * @property {unknown} [json] the body, as JSON
 * @property {BodyInit} [body]
 * @property {Record<string, string>} [headers]
 * @property {string} [idempotencyKey]
 * @property {AbortSignal} [signal]
 */

/**
 * Send a request. Throws Problem for an error of the service and for a failed connection, and AbortError when aborted.
 * @param {string} method
 * @param {string} path
 * @param {RequestOptions} [options]
 * @returns {Promise<Response>}
 */
export async function send(method, path, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { ...options.headers };
  if (options.json !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  if (options.idempotencyKey) {
    headers["Idempotency-Key"] = options.idempotencyKey;
  }
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  let response;
  try {
    response = await fetch(url(path, options.query), { method, headers, body, signal: options.signal });
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") {
      throw error;
    }
    throw new Problem(0, { code: "unreachable", detail: "The service cannot be reached." }, 2);
  }
  if (!response.ok) {
    throw await readProblem(response);
  }
  return response;
}

/**
 * Return the JSON of a path. Throws Problem.
 * @param {string} path
 * @param {RequestOptions} [options]
 * @returns {Promise<any>}
 */
export async function getJson(path, options = {}) {
  return (await send("GET", path, options)).json();
}

/**
 * Return a random key for a request that must not be done twice.
 * `crypto.randomUUID` needs a secure context, which a page of a local network is not.
 */
export function newIdempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Response} response */
async function readProblem(response) {
  const document = await response.json().catch(() => ({}));
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const problem = new Problem(response.status, document, Number.isNaN(retryAfter) ? null : retryAfter);
  if (response.status === 401) {
    dispatchEvent(new CustomEvent("imagemill:unauthorized"));
  }
  return problem;
}
