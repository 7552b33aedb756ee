// The page of one model in one file: its sliders, and the image that they draw.

import { Engine } from "../../app/ui/live/engine.js";
import { classWeightsOf, latentOf } from "../../app/ui/live/latent.js";
import { formatPoint, parsePoint } from "../../app/ui/live/point.js";

/**
 * @typedef {import("../../app/ui/live/latent.js").Slider} Slider
 * @typedef {import("../../app/ui/live/point.js").Point} Point
 * @typedef {{
 *   seed: number,
 *   index: number,
 *   towards: number,
 *   share: number,
 *   truncation: number,
 *   classes: Record<string, number>,
 *   shift: Record<string, number>,
 * }} Settings
 */

const MOST_SEED = 1_000_000_000;
const MOST_TRUNCATION = 1.5;
const SIGMAS = 4;

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
function readText(id) {
  return element(id).textContent ?? "";
}

/**
 * @param {string} id
 * @returns {Uint8Array<ArrayBuffer>}
 */
function readBytes(id) {
  return Uint8Array.from(atob(readText(id)), (character) => character.charCodeAt(0));
}

/**
 * Return the point of some settings. Between two images, z stays as long as those of the images.
 *
 * @param {Settings} settings
 * @returns {Point}
 */
function pointOf({ seed, index, towards, share, truncation, classes, shift }) {
  const round = (/** @type {number} */ weight) => Math.round(weight * 1e4) / 1e4;
  const angle = (share * Math.PI) / 2;
  /** @type {import("../../app/ui/live/point.js").Atom[]} */
  const atoms = [
    [seed, index, round(Math.cos(angle))],
    [towards, index, round(Math.sin(angle))],
  ];
  return { at: atoms.filter(([, , weight]) => weight !== 0), classes, shift, truncation };
}

/**
 * Return the settings of the point in the page's address, or of the first image.
 *
 * @param {string[]} classes
 * @returns {Settings}
 */
function readSettings(classes) {
  const point = parsePoint(new URLSearchParams(location.hash.slice(1)));
  const [first = [1, 0, 1], second = [2, 0, 0]] = point?.at ?? [];
  const [seed, index] = first;
  const even = Object.fromEntries(classes.map((name, label) => [name, label === index % classes.length ? 1 : 0]));
  return {
    seed,
    index,
    towards: second[0],
    share: (Math.atan2(second[2], first[2]) * 2) / Math.PI,
    truncation: point?.truncation ?? 1,
    classes: {
      ...even,
      ...(point?.classes && Object.fromEntries(classes.map((name) => [name, 0]))),
      ...point?.classes,
    },
    shift: { ...point?.shift },
  };
}

/** Controls that change settings, each with a label. */
class Controls {
  /** @param {() => void} changed is called after each change */
  constructor(changed) {
    this.changed = changed;
    /** @type {(() => void)[]} */
    this.refreshes = [];
  }

  /**
   * Add a group of controls under a heading.
   *
   * @param {string} heading
   */
  addGroup(heading) {
    this.group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = heading;
    this.group.append(legend);
    element("controls").append(this.group);
  }

  /**
   * Add a slider.
   *
   * @param {string} name
   * @param {{low: number, high: number, title?: string}} range
   * @param {() => number} get
   * @param {(value: number) => void} set
   */
  addSlider(name, { low, high, title = "" }, get, set) {
    const output = document.createElement("output");
    const input = this.#add(name, title, output);
    Object.assign(input, { type: "range", min: low, max: high, step: 0.01 });
    const refresh = () => {
      input.value = String(get());
      output.value = get().toFixed(2);
    };
    input.addEventListener("input", () => {
      set(Number(input.value));
      output.value = get().toFixed(2);
      this.changed();
    });
    this.refreshes.push(refresh);
    refresh();
  }

  /**
   * Add a field for a whole number.
   *
   * @param {string} name
   * @param {() => number} get
   * @param {(value: number) => void} set
   */
  addNumber(name, get, set) {
    const input = this.#add(name, "");
    Object.assign(input, { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 });
    input.addEventListener("input", () => {
      if (input.checkValidity() && input.value) {
        set(Number(input.value));
        this.changed();
      }
    });
    this.refreshes.push(() => (input.value = String(get())));
    input.value = String(get());
  }

  /** Show the settings after a change from elsewhere. */
  refresh() {
    for (const refresh of this.refreshes) {
      refresh();
    }
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {HTMLElement[]} others
   */
  #add(name, title, ...others) {
    const label = document.createElement("label");
    const words = document.createElement("span");
    const input = document.createElement("input");
    words.textContent = name;
    label.title = title;
    label.append(words, input, ...others);
    this.group?.append(label);
    return input;
  }
}

/**
 * @param {Controls} controls
 * @param {Settings} settings
 * @param {string[]} classes
 * @param {Slider[]} sliders
 */
function addControls(controls, settings, classes, sliders) {
  controls.addGroup("Image");
  for (const name of /** @type {const} */ (["seed", "index", "towards"])) {
    const label = name === "towards" ? "towards seed" : name;
    controls.addNumber(
      label,
      () => settings[name],
      (value) => (settings[name] = value),
    );
  }
  controls.addSlider(
    "between",
    { low: 0, high: 1 },
    () => settings.share,
    (value) => (settings.share = value),
  );
  const range = { low: 0, high: MOST_TRUNCATION };
  controls.addSlider(
    "truncation",
    range,
    () => settings.truncation,
    (value) => (settings.truncation = value),
  );
  if (classes.length) {
    controls.addGroup("Class");
  }
  for (const name of classes) {
    const set = (/** @type {number} */ value) => (settings.classes[name] = value);
    controls.addSlider(name, { low: 0, high: 1 }, () => settings.classes[name] ?? 0, set);
  }
  if (sliders.length) {
    controls.addGroup("Look");
  }
  for (const { name, r2, low = -SIGMAS, high = SIGMAS } of sliders) {
    const title = `explains ${Math.round(100 * r2)} % of what is measured`;
    const set = (/** @type {number} */ value) => (settings.shift[name] = value);
    controls.addSlider(name, { low, high, title }, () => settings.shift[name] ?? 0, set);
  }
}

async function start() {
  /** @type {import("../../app/ui/live/engine.js").EngineFile} */
  const file = JSON.parse(readText("engine"));
  /** @type {{sliders: Slider[], checksum: string}} */
  const { sliders, checksum } = JSON.parse(readText("sliders"));
  const engine = new Engine(await WebAssembly.compile(readBytes("wasm")), file, readBytes("weights").buffer);
  const canvas = /** @type {HTMLCanvasElement} */ (element("image"));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  canvas.width = canvas.height = file.resolution;
  const settings = readSettings(file.classes);

  function draw() {
    const point = pointOf(settings);
    const total = Object.values(settings.classes).reduce((sum, weight) => sum + weight, 0);
    element("message").textContent = file.classes.length && !total ? "Raise one of the classes above 0." : "";
    if (file.classes.length && !total) {
      return;
    }
    const latent = latentOf(point, file.latent_size, sliders);
    const pixels = engine.draw(latent, classWeightsOf(point, file.classes));
    context.putImageData(new ImageData(pixels, file.resolution), 0, 0);
    const text = formatPoint(point, checksum);
    element("point").textContent = text;
    history.replaceState(null, "", `#${text}`);
  }

  let frame = 0;
  const controls = new Controls(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  });
  addControls(controls, settings, file.classes, sliders);
  element("another").addEventListener("click", () => {
    Object.assign(settings, { seed: Math.floor(Math.random() * MOST_SEED), share: 0 });
    controls.refresh();
    draw();
  });
  element("save").addEventListener("click", () => savePng(canvas, `${file.name}-generated-${settings.seed}.png`));
  draw();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} name
 */
function savePng(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(/** @type {Blob} */ (blob));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}

start().catch((error) => {
  element("message").textContent = `The model could not be started: ${error.message}`;
});
