// Latents by (seed, index), the same numbers as in docs/latents.md and models/latents.py.

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57];
const WEYL = [0x9e3779b9, 0xbb67ae85];
const ROUNDS = 10;
const WORD = 2 ** 32;

/**
 * Draw the standard-normal latent of an image.
 *
 * @param {number} size
 * @param {number} seed 0 .. 2^53 - 1
 * @param {number} index 0 .. 2^53 - 1
 * @returns {Float32Array}
 */
export function sampleLatent(size, seed, index) {
  const latent = new Float32Array(size);
  const key = [seed % WORD, Math.floor(seed / WORD)];
  for (let block = 0; 4 * block < size; block++) {
    const words = encrypt([block, 0, index % WORD, Math.floor(index / WORD)], key);
    const normals = [...toNormals(words[0], words[1]), ...toNormals(words[2], words[3])];
    latent.set(normals.slice(0, size - 4 * block), 4 * block);
  }
  return latent;
}

/**
 * Encrypt a counter of four words by Philox4x32-10 (Salmon et al. 2011).
 *
 * @param {number[]} counter
 * @param {number[]} key
 * @returns {number[]}
 */
export function encrypt(counter, key) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiply(c0, MULTIPLIERS[0]);
    const [high1, low1] = multiply(c2, MULTIPLIERS[1]);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL[0]) >>> 0;
    k1 = (k1 + WEYL[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * Multiply two 32-bit words. A number holds 53 bits only, so one factor is split into halves.
 *
 * @param {number} a
 * @param {number} b
 * @returns {[number, number]} the high and the low word
 */
function multiply(a, b) {
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = a * bLow;
  const middle = a * bHigh + Math.floor(low / 0x10000);
  return [Math.floor(middle / 0x10000), Math.imul(a, b) >>> 0];
}

/**
 * Turn two uniform words into two normals (Box and Muller 1958).
 *
 * @param {number} first
 * @param {number} second
 * @returns {[number, number]}
 */
function toNormals(first, second) {
  const radius = Math.sqrt(-2 * Math.log((first + 0.5) / WORD));
  const angle = 2 * Math.PI * ((second + 0.5) / WORD);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
