// Keeps the keyboard focus in place when the element that has it is removed or disabled.

const FOCUSABLE =
  "a[href]:not([tabindex='-1']), button:not(:disabled), input:not(:disabled), select:not(:disabled), " +
  "textarea:not(:disabled), summary, [tabindex='0']";

/**
 * Move a focus that gets lost to the first control of the nearest group that is left. Without it, the body has the
 * focus, and the next Tab may start at the top of the page.
 * @param {HTMLElement} main the views are inside of it
 */
export function keepFocus(main) {
  /** The element that has the focus, and its ancestors below `main`. @type {Element[]} */
  let path = [];

  document.addEventListener("focusin", ({ target }) => (path = pathOf(target, main)));
  document.addEventListener("pointerdown", () => (path = [])); // a click beside all controls removes the focus
  new MutationObserver(() => {
    if (document.activeElement !== document.body || path.length === 0) return;
    const group = path.slice(1).find((element) => element.isConnected && firstControl(element));
    path = [];
    if (group) firstControl(group)?.focus({ preventScroll: true });
  }).observe(main, { childList: true, subtree: true, attributeFilter: ["disabled", "hidden"] });
}

/**
 * @param {EventTarget | null} target
 * @param {HTMLElement} main
 */
function pathOf(target, main) {
  const path = [];
  for (let each = target instanceof Element ? target : null; each && each !== main; each = each.parentElement) {
    path.push(each);
  }
  return main.contains(path[0] ?? null) ? path : [];
}

/**
 * @param {Element} group
 * @returns {HTMLElement | undefined}
 */
function firstControl(group) {
  const controls = /** @type {HTMLElement[]} */ ([...group.querySelectorAll(FOCUSABLE)]);
  return controls.find((control) => control.checkVisibility());
}
