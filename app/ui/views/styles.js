/** The view Styles: pictures whose texture and colours images can take. The user adds, tries on and removes them. */

/** @import { Route, ViewContext } from "../shell/view.js" */
import { getJson } from "../shell/api.js";
import { models, onModels } from "../shell/model_list.js";
import { StylesPage } from "./styles/styles_page.js";

export const title = "Styles";

/**
 * Show the view. Throws Problem if the service cannot be read.
 * @param {ViewContext} context
 */
export async function show(context) {
  const [entries, { styles }] = await Promise.all([models(), getJson("styles")]);
  const page = new StylesPage(context, entries, styles);
  const stopListening = onModels((found) => page.setModels(found));
  return {
    update: (/** @type {Route} */ route) => page.setQuery(route.query),
    stop() {
      stopListening();
      page.close();
    },
  };
}
