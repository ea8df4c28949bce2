/** In [0, 1); Mulberry32, https://gist.github.com/tommyettinger/46a574433244883189143505d203312c */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Clusters {
  dimensions: number;
  centres: number;
  /** Of a vector around its centre, as a multiple of how far centres are spread. */
  noise: number;
}

/** Unit vectors around centres, like those of texts; the same in every run. Another seed gives others around the same centres. */
export function createVectors({ dimensions, centres, noise }: Clusters, seed: number): () => Float32Array {
  const ofCentres = createRandom(7);
  const middle = Array.from({ length: centres }, () =>
    Float32Array.from({ length: dimensions }, () => ofCentres() - 0.5),
  );
  const random = createRandom(seed);
  return () => {
    const centre = middle[Math.floor(random() * centres)] as Float32Array;
    const vector = centre.map((value) => value + noise * (random() - 0.5));
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
}
