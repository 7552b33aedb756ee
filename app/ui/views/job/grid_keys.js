// Keyboard and mouse in the grid: move, throw out, select ranges, open.

/** @import { ImageGrid } from "./image_grid.js" */

/** Side of the corner of a cell that throws the image out when it is clicked. */
const CORNER_PIXELS = 28;

/**
 * @typedef {object} GridCommands
 * @property {(positions: number[], isExcluded?: boolean) => void} exclude without `isExcluded`, each image changes
 * @property {(position: number) => void} open
 * @property {() => void} undo
 */

/**
 * @param {ImageGrid} grid
 * @param {GridCommands} commands
 */
export function handleKeys(grid, commands) {
  const { scroller } = grid;
  /** Position where a range begins. @type {number | null} */
  let anchor = null;

  /** @param {number} position @param {boolean} isRange */
  function move(position, isRange) {
    anchor = isRange ? (anchor ?? grid.active) : null;
    grid.moveTo(position);
    if (anchor !== null) {
      commands.exclude(range(anchor, grid.active), true);
    }
  }

  scroller.addEventListener("keydown", (event) => {
    const target = targetOf(event, grid);
    if (target !== null) {
      move(target, event.shiftKey);
    } else if (event.key === "x" || event.key === "X" || event.key === " " || event.key === "Delete") {
      commands.exclude([grid.active]);
    } else if (event.key === "Enter") {
      commands.open(grid.active);
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      commands.undo();
    } else {
      return;
    }
    event.preventDefault();
  });
  scroller.addEventListener("click", (event) => {
    const position = positionOf(event);
    if (position === null) {
      return;
    }
    const isCorner = event.offsetX > grid.size - CORNER_PIXELS && event.offsetY < CORNER_PIXELS;
    move(position, event.shiftKey);
    if (!event.shiftKey && (isCorner || event.ctrlKey || event.metaKey)) {
      commands.exclude([position]);
    }
  });
  scroller.addEventListener("dblclick", (event) => {
    const position = positionOf(event);
    const isCorner = event.offsetX > grid.size - CORNER_PIXELS && event.offsetY < CORNER_PIXELS;
    if (position !== null && !isCorner) {
      commands.open(position);
    }
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {ImageGrid} grid
 */
function targetOf(event, grid) {
  const steps = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: grid.columns,
    ArrowUp: -grid.columns,
    PageDown: grid.pageSize,
    PageUp: -grid.pageSize,
  };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (step !== undefined) {
    return grid.active + step;
  }
  if (event.key === "Home") {
    return 0;
  }
  return event.key === "End" ? (grid.list?.length ?? 1) - 1 : null;
}

/** @param {number} a @param {number} b */
function range(a, b) {
  const first = Math.min(a, b);
  return Array.from({ length: Math.abs(a - b) + 1 }, (_, k) => first + k);
}

/**
 * Return the position of the cell that an event hits; null for none.
 * @param {Event} event
 */
function positionOf(event) {
  const cell = /** @type {HTMLElement} */ (event.target).closest("[role=gridcell]");
  return cell instanceof HTMLElement ? Number(cell.dataset["position"]) : null;
}
