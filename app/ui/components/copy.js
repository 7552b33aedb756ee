// Copies text, also in pages that are not a secure context, where the browser offers no clipboard.

/**
 * Copy a text. Returns whether it worked; if not, the text is shown selected in a prompt.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
    return true;
  } catch {
    prompt("Copy this text:", text);
    return false;
  }
}

/** @param {string} text */
function say(text) {
  const place = document.getElementById("announcement");
  if (place) {
    place.textContent = text;
  }
}
