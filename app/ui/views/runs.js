// Training runs: their list, or one of them with its curves and samples.

/** @import { ViewContext } from "../shell/view.js" */
import { showList } from "./runs/run_list.js";
import { showRun } from "./runs/run_page.js";

export const title = "Runs";

/** @param {ViewContext} context */
export function show(context) {
  const number = context.route.path[1];
  return number === undefined ? showList(context) : showRun(context, Number(number));
}
