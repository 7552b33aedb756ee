// The elements of the grid: rows and cells, and what they show.

/** @import { ImageList } from "./image_list.js" */
/** @import { SheetLoader } from "./sheet_loader.js" */
import { GAP } from "./grid_geometry.js";

/**
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {HTMLElement[]} cells
 */

/**
 * @typedef {object} CellOptions
 * @property {(index: number | null) => boolean} isExcluded
 * @property {(index: number | null) => string} label the words of a cell
 */

/**
 * @param {HTMLElement} pad
 * @param {number} columns
 * @param {number} size
 * @returns {Row}
 */
export function createRow(pad, columns, size) {
  const element = document.createElement("div");
  element.setAttribute("role", "row");
  element.className = "grid-row";
  const cells = Array.from({ length: columns }, (_, column) => {
    const cell = document.createElement("div");
    cell.className = "cell";
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", String(column + 1));
    cell.style.left = `${GAP + column * (size + GAP)}px`;
    cell.style.width = `${size}px`;
    cell.style.height = `${size}px`;
    return cell;
  });
  element.append(...cells);
  pad.append(element);
  return { element, cells };
}

/**
 * @param {Row} row
 * @param {number} number
 * @param {number} step
 */
export function placeRow(row, number, step) {
  row.element.hidden = false;
  row.element.style.transform = `translateY(${GAP + number * step}px)`;
  row.element.setAttribute("aria-rowindex", String(number + 1));
}

/**
 * Show the image at a position in a cell.
 * @param {HTMLElement} cell
 * @param {number} position
 * @param {{list: ImageList, loader: SheetLoader, options: CellOptions, size: number}} grid
 */
export function fillCell(cell, position, { list, loader, options, size }) {
  const index = list.indexAt(position);
  const sheet = loader.find(position);
  cell.hidden = position >= list.length;
  cell.id = `image-${position}`;
  cell.dataset["position"] = String(position);
  cell.setAttribute("aria-selected", String(options.isExcluded(index)));
  cell.setAttribute("aria-label", options.label(index));
  cell.classList.toggle("there", sheet !== null);
  if (!sheet) {
    cell.style.backgroundImage = "";
    return;
  }
  const { columns, images } = loader.grid;
  const place = position % images;
  cell.style.backgroundImage = `url("${sheet.url}")`;
  cell.style.backgroundSize = `${columns * size}px auto`;
  cell.style.backgroundPosition = `-${(place % columns) * size}px -${Math.floor(place / columns) * size}px`;
}
