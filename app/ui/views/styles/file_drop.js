// Files that are dropped or pasted anywhere in a view.

/**
 * Call a function with files until the signal aborts. While files are dragged, the element has the attribute
 * `data-dropping`.
 * @param {HTMLElement} element
 * @param {(files: File[]) => void} onFiles
 * @param {AbortSignal} signal
 */
export function listenForFiles(element, onFiles, signal) {
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

  /** @param {DragEvent} event */
  function drag(event) {
    if (hasFiles(event)) {
      event.preventDefault();
      element.dataset["dropping"] = "";
    }
  }

  /** @param {DragEvent} event */
  function leave(event) {
    if (!event.relatedTarget) {
      delete element.dataset["dropping"];
    }
  }

  /** @param {DragEvent} event */
  function drop(event) {
    delete element.dataset["dropping"];
    if (hasFiles(event)) {
      event.preventDefault();
      onFiles([...(event.dataTransfer?.files ?? [])]);
    }
  }

  addEventListener("dragover", drag, { signal });
  addEventListener("dragleave", leave, { signal });
  addEventListener("drop", drop, { signal });
  addEventListener("paste", ({ clipboardData }) => onFiles([...(clipboardData?.files ?? [])]), { signal });
}
