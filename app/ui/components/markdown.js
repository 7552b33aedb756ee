// Shows Markdown as elements. The parser makes tokens, never HTML, so a text cannot add elements of its own.

import { html, nothing } from "../vendor/lit-html.js";
import { lexer } from "../vendor/marked.js";

/** @typedef {import("../vendor/marked.js").Token} Token */
/** @typedef {import("../vendor/marked.js").TableCell} TableCell */

/**
 * @typedef {object} MarkdownOptions
 * @property {(address: string) => string | null} imageUrl address of an image; null leaves it out
 * @property {number} deeper how much deeper headings are on the page than in the text
 */

/**
 * Return the elements of tokens of the parser.
 * @param {Token[]} tokens
 * @param {MarkdownOptions} options
 * @returns {unknown[]}
 */
export function markdown(tokens, options) {
  return tokens.map((token) => element(token, options));
}

/**
 * Parse Markdown into tokens.
 * @param {string} text
 */
export function parseMarkdown(text) {
  return lexer(text);
}

/**
 * @param {Token} token
 * @param {MarkdownOptions} options
 * @returns {unknown}
 */
function element(token, options) {
  const inside = () => (token.tokens ? markdown(token.tokens, options) : plain(token.text ?? ""));
  switch (token.type) {
    case "heading":
      return heading((token.depth ?? 1) + options.deeper, inside());
    case "paragraph":
      return html`<p>${inside()}</p>`;
    case "list": {
      const items = token.items?.map((item) => html`<li>${markdown(item.tokens ?? [], options)}</li>`);
      return token.ordered
        ? html`<ol>
            ${items}
          </ol>`
        : html`<ul>
            ${items}
          </ul>`;
    }
    case "table":
      return table(token, options);
    case "code":
      return html`<pre tabindex="0">${token.text}</pre>`;
    case "blockquote":
      return html`<blockquote>${inside()}</blockquote>`;
    case "hr":
      return html`<hr />`;
    case "br":
      return html`<br />`;
    case "strong":
      return html`<strong>${inside()}</strong>`;
    case "em":
      return html`<em>${inside()}</em>`;
    case "codespan":
      return html`<code>${plain(token.text ?? "")}</code>`;
    case "link":
      return link(token.href ?? "", inside());
    case "image":
      return image(token, options);
    case "space":
      return nothing;
    default: // plain text; raw HTML is shown as it was written
      return inside();
  }
}

/**
 * @param {number} depth
 * @param {unknown} inside
 */
function heading(depth, inside) {
  if (depth <= 3) return html`<h3>${inside}</h3>`;
  return depth === 4 ? html`<h4>${inside}</h4>` : html`<h5>${inside}</h5>`;
}

/**
 * Return a link. Links to files beside the text, and links of other kinds, become plain text.
 * @param {string} address
 * @param {unknown} inside
 */
function link(address, inside) {
  return /^https?:\/\//.test(address) ? html`<a href=${address} rel="noreferrer">${inside}</a>` : inside;
}

/**
 * @param {Token} token
 * @param {MarkdownOptions} options
 */
function image(token, { imageUrl }) {
  const address = imageUrl(token.href ?? "");
  return address ? html`<img src=${address} alt=${plain(token.text ?? "")} loading="lazy" />` : nothing;
}

/**
 * Return a table. A first column without a heading names its rows.
 * @param {Token} token
 * @param {MarkdownOptions} options
 */
function table({ header = [], rows = [] }, options) {
  const hasHeader = header.some(({ text }) => text);
  const namesRows = header[0]?.text === "";
  /** @param {TableCell} cell */
  const inside = (cell) => markdown(cell.tokens, options);
  return html`<div class="table-frame">
    <table>
      ${
        hasHeader
          ? html`<thead>
              <tr>
                ${header.map((cell) => (cell.text ? html`<th scope="col">${inside(cell)}</th>` : html`<td></td>`))}
              </tr>
            </thead>`
          : nothing
      }
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, column) =>
                column === 0 && namesRows ? html`<th scope="row">${inside(cell)}</th>` : html`<td>${inside(cell)}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * Undo the entities that Markdown has for characters of its own.
 * @param {string} text
 */
function plain(text) {
  const names = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => names[/** @type {"amp"} */ (name)]);
}
