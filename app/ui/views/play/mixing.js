/** Points between faces: interpolation on the sphere, variations, and the class that belongs to a face. */

/** @typedef {[seed: number, index: number, weight: number]} Atom */
/** @typedef {Record<string, number>} Shares  Weight of each class; all weights add up to 1. */
/** @typedef {{atoms: Atom[], classes: Shares | null}} Face  Without classes, the first atom's index selects the class. */

/** Most atoms of a point in the API. A mix that has more loses the lightest of them. */
export const MAX_ATOMS = 16;

/**
 * Return the weights of two vectors for a point between them: great-circle interpolation (Shoemake, 1985).
 * @param {number} share 0 gives the first vector, 1 the second
 * @param {number} angle between the vectors, in radians
 * @returns {[number, number]}
 */
export function slerpWeights(share, angle) {
  if (angle < 1e-3 || Math.PI - angle < 1e-3) return [1 - share, share];
  return [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
}

/**
 * Return the angle between two faces, in radians. Latents of different addresses are independent, and nearly orthogonal.
 * @param {Atom[]} first
 * @param {Atom[]} second
 */
export function angleBetween(first, second) {
  const weights = new Map(second.map(([seed, index, weight]) => [`${seed}:${index}`, weight]));
  const product = first.reduce(
    (sum, [seed, index, weight]) => sum + weight * (weights.get(`${seed}:${index}`) ?? 0),
    0,
  );
  return Math.acos(Math.min(1, Math.max(-1, product / (length(first) * length(second) || 1))));
}

/** @param {Atom[]} atoms */
function length(atoms) {
  return Math.hypot(...atoms.map(([, , weight]) => weight));
}

/**
 * Return the weighted sum of two lists of atoms. Equal addresses become one atom, and the heaviest atoms stay.
 * @param {Atom[]} first
 * @param {number} firstWeight
 * @param {Atom[]} second
 * @param {number} secondWeight
 * @returns {Atom[]}
 */
function addAtoms(first, firstWeight, second, secondWeight) {
  /** @type {Map<string, Atom>} */
  const sum = new Map();
  for (const [atoms, factor] of /** @type {[Atom[], number][]} */ ([
    [first, firstWeight],
    [second, secondWeight],
  ])) {
    for (const [seed, index, weight] of atoms) {
      const known = sum.get(`${seed}:${index}`);
      sum.set(`${seed}:${index}`, [seed, index, (known ? known[2] : 0) + factor * weight]);
    }
  }
  return heaviest([...sum.values()].filter(([, , weight]) => Math.abs(weight) > 1e-9));
}

/**
 * Return the face between two faces, on the sphere. Its classes lie on the straight line between theirs.
 * @param {Face} first
 * @param {Face} second
 * @param {number} share 0 gives the first face, 1 the second
 * @param {string[]} classNames of the model; empty without classes
 * @returns {Face}
 */
export function between(first, second, share, classNames) {
  if (share <= 0) return first;
  if (share >= 1) return second;
  const [firstWeight, secondWeight] = slerpWeights(share, angleBetween(first.atoms, second.atoms));
  const atoms = addAtoms(first.atoms, firstWeight, second.atoms, secondWeight);
  if (!classNames.length) return { atoms, classes: null };
  return { atoms, classes: mixShares(classesOf(first, classNames), classesOf(second, classNames), share) };
}

/**
 * @param {Shares} first
 * @param {Shares} second
 * @param {number} share
 * @returns {Shares}
 */
function mixShares(first, second, share) {
  /** @type {Shares} */
  const mixed = {};
  for (const name of new Set([...Object.keys(first), ...Object.keys(second)])) {
    mixed[name] = (1 - share) * (first[name] ?? 0) + share * (second[name] ?? 0);
  }
  return mixed;
}

/**
 * Return the classes of a face: its own ones, or the class of its first atom's index in the even cycle.
 * @param {Face} face
 * @param {string[]} classNames
 * @returns {Shares}
 */
export function classesOf(face, classNames) {
  if (face.classes || !classNames.length) return face.classes ?? {};
  return { [classNames[face.atoms[0][1] % classNames.length]]: 1 };
}

/**
 * Return a variation of a face: sqrt(1 - spread^2) times its latent plus spread times the latent of an address.
 * @param {Face} face
 * @param {number} spread 0 gives the face itself, 1 an unrelated one
 * @param {number} seed
 * @param {number} index
 * @param {string[]} classNames
 * @returns {Face}
 */
export function vary(face, spread, seed, index, classNames) {
  const atoms = addAtoms(face.atoms, Math.sqrt(1 - spread ** 2), [[seed, index, 1]], spread);
  return { atoms, classes: classNames.length ? classesOf(face, classNames) : null };
}

/**
 * Return the heaviest atoms in their order, with the length of all of them.
 * @param {Atom[]} atoms
 * @returns {Atom[]}
 */
function heaviest(atoms) {
  if (atoms.length <= MAX_ATOMS) return atoms;
  const lightest = [...atoms].sort((a, b) => Math.abs(a[2]) - Math.abs(b[2])).slice(0, atoms.length - MAX_ATOMS);
  const kept = atoms.filter((atom) => !lightest.includes(atom));
  const factor = length(atoms) / length(kept);
  return kept.map(([seed, index, weight]) => [seed, index, weight * factor]);
}

/**
 * Return the face at a knob inside a square of four corners: top left, top right, bottom left, bottom right.
 * @param {Face[]} corners
 * @param {[number, number]} knob column and row, each from 0 to 1
 * @param {string[]} classNames
 */
export function insideSquare(corners, [column, row], classNames) {
  const top = between(corners[0], corners[1], column, classNames);
  const bottom = between(corners[2], corners[3], column, classNames);
  return between(top, bottom, row, classNames);
}

/**
 * Return the face with four decimals in each weight, so that the text of an address stays short, and is the exact point.
 * Classes that the first atom's index selects anyway are left out.
 * @param {Face} face
 * @param {string[]} classNames
 * @returns {Face}
 */
export function rounded(face, classNames) {
  const atoms = /** @type {Atom[]} */ (face.atoms.map(([seed, index, weight]) => [seed, index, round(weight)]));
  const kept = atoms.filter(([, , weight]) => weight);
  const atomsLeft = kept.length ? kept : atoms.slice(0, 1);
  if (!face.classes) return { atoms: atomsLeft, classes: null };
  const classes = classNames.flatMap((name) => (round(face.classes?.[name] ?? 0) ? [name] : []));
  const ownClass = classNames[atomsLeft[0][1] % classNames.length];
  if (!classes.length || (classes.length === 1 && classes[0] === ownClass)) return { atoms: atomsLeft, classes: null };
  return {
    atoms: atomsLeft,
    classes: Object.fromEntries(classes.map((name) => [name, round(face.classes?.[name] ?? 0)])),
  };
}

/** @param {number} number */
export function round(number) {
  return Math.round(number * 1e4) / 1e4;
}
