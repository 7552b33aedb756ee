// The fold "Code": the request of a view as curl, Python and a command line.

import { html } from "../vendor/lit-html.js";
import { copyText } from "./copy.js";
import { url } from "../shell/api.js";

/**
 * @typedef {object} CodeRequest
 * @property {string} method
 * @property {string} path without a leading slash
 * @property {URLSearchParams | Record<string, string>} [query]
 * @property {unknown} [json] the body
 * @property {string} [output] name of the file that the answer becomes
 * @property {string} [python] lines that use the Python client; without them the request is made by httpx
 * @property {string} [command] a line of the command line
 * @property {{title: string, text: string}[]} [more] further examples
 */

/**
 * Return the fold with the code of a request.
 * @param {CodeRequest} request
 */
export function codeBlock(request) {
  const examples = [
    { title: "curl", text: curl(request) },
    { title: "Python", text: request.python ?? python(request) },
    ...(request.command ? [{ title: "Command line", text: request.command }] : []),
    ...(request.more ?? []),
  ];
  return html`<details class="code">
    <summary>Code</summary>
    ${examples.map(
      ({ title, text }) =>
        html`<div class="code-example">
          <div class="code-title">
            <h3>${title}</h3>
            <button class="quiet" aria-label=${`Copy the ${title} code`} @click=${() => copyText(text)}>Copy</button>
          </div>
          <pre tabindex="0">${text}</pre>
        </div>`,
    )}
  </details>`;
}

/** @param {CodeRequest} request */
function curl({ method, path, query, json, output }) {
  const parts = ["curl"];
  if (method !== "GET") {
    parts.push(`-X ${method}`);
  }
  parts.push(quote(url(path, query)));
  if (json !== undefined) {
    parts.push("-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(json))}`);
  }
  if (output) {
    parts.push(`-o ${quote(output)}`);
  }
  return parts.join(" ");
}

/** @param {CodeRequest} request */
function python({ method, path, query, json, output }) {
  const call = `httpx.request(${JSON.stringify(method)}, ${JSON.stringify(url(path, query))}${
    json === undefined ? "" : `, json=${pythonLiteral(json)}`
  })`;
  const rest = output ? `\nopen(${JSON.stringify(output)}, "wb").write(response.content)` : "\nprint(response.json())";
  return `import httpx\n\nresponse = ${call}\nresponse.raise_for_status()${rest}`;
}

/**
 * @param {unknown} value
 * @returns {string}
 */
export function pythonLiteral(value) {
  if (value === null || value === undefined) {
    return "None";
  }
  if (typeof value === "boolean") {
    return value ? "True" : "False";
  }
  if (Array.isArray(value)) {
    return `[${value.map(pythonLiteral).join(", ")}]`;
  }
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([name, each]) => `${JSON.stringify(name)}: ${pythonLiteral(each)}`)
      .join(", ")}}`;
  }
  return JSON.stringify(value);
}

/**
 * Quote a word for a POSIX shell.
 * @param {string} word
 */
export function quote(word) {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
