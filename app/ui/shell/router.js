// Shows the view that the hash of the address names.

/** @import { Route, View, ViewModule } from "./view.js" */
import { render } from "../vendor/lit-html.js";
import { problemMessage } from "./problem.js";

/** Views by the first part of the hash. Each has a style sheet of its own, except those listed in `WITHOUT_STYLES`. */
const VIEWS = new Set(["play", "order", "jobs", "job", "styles", "models", "runs", "api", "key"]);
const HOME = "play";

/** @returns {Route} */
export function currentRoute() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const parts = (path ?? "").split("/").filter(Boolean).map(decodePart);
  return { path: parts.length > 0 ? parts : [HOME], query: new URLSearchParams(query ?? "") };
}

/**
 * Return the hash of a route.
 * @param {string[]} path
 * @param {URLSearchParams | Record<string, string>} [query]
 */
export function hashOf(path, query) {
  // Points are easier to read and to type with these characters as they are.
  const text = new URLSearchParams(query ?? {})
    .toString()
    .replace(/%3A/g, ":")
    .replace(/%2C/g, ",")
    .replace(/%2A/g, "*");
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/**
 * Show views until the page is closed.
 * @param {HTMLElement} main
 * @param {(text: string) => void} announce
 * @param {(route: Route) => void} onRoute is called at every change of the view
 */
export function startRouter(main, announce, onRoute) {
  let shown = "";
  let turn = 0;
  /** @type {View | void} */
  let view;

  async function follow() {
    const route = currentRoute();
    const name = route.path[0] ?? HOME;
    onRoute(route);
    // The address of a job is a part of its view, so that another job is another view.
    const key = name === "job" || name === "runs" ? route.path.slice(0, 2).join("/") : name;
    if (key === shown) {
      view?.update?.(route);
      return;
    }
    const mine = ++turn;
    view?.stop?.();
    view = undefined;
    shown = key;
    const root = document.createElement("div");
    root.className = `view view-${name}`;
    const context = {
      root,
      route,
      /** @param {URLSearchParams} query */
      setQuery: (query) => {
        if (mine === turn) {
          history.replaceState(null, "", hashOf(currentRoute().path, query));
        }
      },
      /** @param {string} title */
      setTitle: (title) => {
        document.title = `${title} – Imagemill`;
      },
      announce,
    };
    main.replaceChildren(root);
    try {
      if (!VIEWS.has(name)) {
        throw new Error(`There is no view "${name}".`);
      }
      const module = await loadView(name);
      if (mine !== turn) {
        return;
      }
      context.setTitle(module.title);
      const started = await module.show(context);
      if (mine !== turn) {
        started?.stop?.();
        return;
      }
      view = started;
      focusHeading(root);
    } catch (error) {
      if (mine === turn) {
        shown = "";
        render(
          problemMessage(error, () => void follow()),
          root,
        );
      }
    }
  }

  addEventListener("hashchange", () => void follow());
  void follow();
  return { reload: () => ((shown = ""), void follow()) };
}

/**
 * @param {string} name
 * @returns {Promise<ViewModule>}
 */
async function loadView(name) {
  const [module] = await Promise.all([import(`../views/${name}.js`), loadStyles(name)]);
  return module;
}

/** @type {Map<string, Promise<void>>} */
const styles = new Map();

/** @param {string} name */
function loadStyles(name) {
  let loaded = styles.get(name);
  if (!loaded) {
    loaded = new Promise((resolve, reject) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL(`../views/${name}.css`, import.meta.url).href;
      link.addEventListener("load", () => resolve());
      link.addEventListener("error", () => {
        styles.delete(name);
        link.remove();
        reject(new Error("A part of the page could not be loaded."));
      });
      document.head.append(link);
    });
    styles.set(name, loaded);
  }
  return loaded;
}

let isFirstView = true;

/** @param {HTMLElement} root */
function focusHeading(root) {
  if (isFirstView) {
    isFirstView = false; // the browser has put the focus where it belongs
    return;
  }
  const heading = root.querySelector("h2");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
}

/** @param {string} part */
function decodePart(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
