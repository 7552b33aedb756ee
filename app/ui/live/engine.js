// The generator in the browser: runs the program of engine-1.json on the kernels of engine.wasm.

/**
 * @typedef {{kernel: string, arguments: number[]}} Call
 * @typedef {{
 *   version: number,
 *   model: string,
 *   name: string,
 *   resolution: number,
 *   latent_size: number,
 *   is_spherical: boolean,
 *   classes: string[],
 *   label_size: number,
 *   multiply_adds: number,
 *   constants: number,
 *   weights: number,
 *   memory: number,
 *   embedding: number,
 *   input: number,
 *   image: number,
 *   preparation: Call[],
 *   calls: Call[],
 * }} EngineFile
 */

const PAGE_BYTES = 65536;
const FLOAT_BYTES = 4;
const WORD_BYTES = 2;

/** One model, ready to draw. It allocates all memory when it is created. */
export class Engine {
  /**
   * @param {WebAssembly.Module} module
   * @param {EngineFile} file
   * @param {ArrayBuffer} weights
   * @throws {RangeError} if the weights do not belong to the file
   */
  constructor(module, file, weights) {
    const expected = FLOAT_BYTES * file.constants + WORD_BYTES * file.weights;
    if (weights.byteLength !== expected) {
      throw new RangeError(`weights-1.bin has ${weights.byteLength} bytes, not ${expected}`);
    }
    this.file = file;
    const kernels = /** @type {Record<string, any>} */ (new WebAssembly.Instance(module).exports);
    const base = kernels.base();
    const bytes = base + FLOAT_BYTES * file.memory;
    kernels.memory.grow(Math.max(0, Math.ceil((bytes - kernels.memory.buffer.byteLength) / PAGE_BYTES)));
    const memory = new Uint8Array(kernels.memory.buffer);
    const constants = FLOAT_BYTES * file.constants;
    memory.set(new Uint8Array(weights, 0, constants), base);
    // The 16-bit weights lie in the second half of the floats that replace them.
    memory.set(new Uint8Array(weights, constants), base + constants + WORD_BYTES * file.weights);
    const bind = (/** @type {Call} */ call) => kernels[call.kernel].bind(null, ...call.arguments);
    for (const prepare of file.preparation.map(bind)) {
      prepare();
    }
    /** @type {(() => void)[]} */
    this.calls = file.calls.map(bind);
    this.floats = new Float32Array(kernels.memory.buffer, base, file.memory);
    this.pixels = new Uint8ClampedArray(
      kernels.memory.buffer,
      base + FLOAT_BYTES * file.image,
      FLOAT_BYTES * file.resolution ** 2,
    );
  }

  /**
   * Draw an image.
   *
   * @param {Float32Array} latent
   * @param {number[]} classWeights one for each class; they sum to 1
   * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA pixels
   */
  draw(latent, classWeights) {
    const { input, latent_size } = this.file;
    this.floats.set(this.file.is_spherical ? onSphere(latent) : latent, input);
    this.floats.set(this.#mixClasses(classWeights), input + latent_size);
    for (const call of this.calls) {
      call();
    }
    return this.pixels.slice();
  }

  /**
   * @param {number[]} classWeights
   * @returns {Float64Array}
   */
  #mixClasses(classWeights) {
    const { embedding, label_size } = this.file;
    const mixed = new Float64Array(label_size);
    classWeights.forEach((weight, label) => {
      for (let i = 0; i < label_size; i++) {
        mixed[i] += weight * this.floats[embedding + label * label_size + i];
      }
    });
    return mixed;
  }
}

/**
 * Scale z to the norm sqrt(size), as in models/sphere.py.
 *
 * @param {Float32Array} latent
 * @returns {Float32Array}
 */
function onSphere(latent) {
  const norm = Math.hypot(...latent);
  return latent.map((value) => (value / Math.max(norm, 1e-12)) * Math.sqrt(latent.length));
}
