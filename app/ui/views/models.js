/** The view Models: a table of all models, and a page for each of them. */

/** @import { Route, ViewContext } from "../shell/view.js" */
import { models, onModels } from "../shell/model_list.js";
import { ModelPage } from "./models/model_page.js";
import { ModelTable } from "./models/model_table.js";

export const title = "Models";

/** A worker that has just started stores the cards and pictures of its models after it is ready. */
const LOOK_AGAIN_MS = 2000;
const MOST_LOOKS = 15;

/**
 * Show the view. Throws Problem if the service cannot be read.
 * @param {ViewContext} context
 */
export async function show(context) {
  let entries = await models();
  let name = context.route.path[1];
  let page = open();

  function open() {
    const entry = entries.find((each) => each.name === name);
    context.setTitle(name ?? title);
    return name === undefined ? new ModelTable(context, entries) : new ModelPage(context, name, entry);
  }

  let looks = 0;
  let timer = 0;

  function lookAgain() {
    clearTimeout(timer);
    if (looks < MOST_LOOKS && entries.some(({ files }) => !files.includes("card.md"))) {
      looks += 1;
      timer = setTimeout(() => void models({ isFresh: true }).catch(lookAgain), LOOK_AGAIN_MS);
    }
  }

  const stopListening = onModels((found) => {
    const isSame = JSON.stringify(found) === JSON.stringify(entries);
    entries = found;
    if (!isSame) {
      page.close();
      page = open();
    }
    lookAgain();
  });
  return {
    update(/** @type {Route} */ route) {
      if (route.path[1] === name) {
        return;
      }
      name = route.path[1];
      page.close();
      page = open();
      const heading = context.root.querySelector("h2");
      if (heading) {
        heading.tabIndex = -1;
        heading.focus();
      }
      scrollTo(0, 0);
    },
    stop() {
      clearTimeout(timer);
      stopListening();
      page.close();
    },
  };
}
