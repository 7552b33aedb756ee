// The contract between the router and a view. This module has types only.

/**
 * @typedef {object} Route
 * @property {string[]} path the parts of the hash before "?": "#/play/faces-64?at=1:0" has ["play", "faces-64"]
 * @property {URLSearchParams} query
 */

/**
 * @typedef {object} ViewContext
 * @property {HTMLElement} root an empty element; the view renders into it
 * @property {Route} route
 * @property {(query: URLSearchParams) => void} setQuery replaces the query of the address, without a history entry
 * @property {(title: string) => void} setTitle sets the title of the document
 * @property {(text: string) => void} announce lets screen readers say a sentence
 */

/**
 * @typedef {object} View
 * @property {(route: Route) => void} [update] is called when the address changes within the view
 * @property {() => void} [stop] is called when the user leaves the view: it aborts requests, streams and workers
 */

/**
 * @typedef {object} ViewModule
 * @property {string} title
 * @property {(context: ViewContext) => Promise<View | void> | View | void} show
 */

export {};
