// The view Styles: pictures whose look other images take.

import { getJson } from "../shell/api.js";
import { onModels } from "../shell/model_list.js";
import { StylesPage } from "./styles/styles_page.js";

export const title = "Styles";

/**
 * Show the view. Throws Problem if the styles cannot be read.
 * @param {import("../shell/view.js").ViewContext} context
 */
export async function show(context) {
  const { styles } = await getJson("styles");
  const page = new StylesPage(context, styles.reverse());
  const stopListening = onModels((models) => page.setModels(models));
  return {
    /** @param {import("../shell/view.js").Route} route */
    update: (route) => page.read(route.query),
    stop: () => {
      stopListening();
      page.close();
    },
  };
}
