/** Cuts the end off, takes a piece out, repeats one, puts one of another document in, or overwrites bytes. */
export function damage(bytes: Buffer, other: Buffer, next: () => number): Buffer {
  const below = (limit: number) => Math.floor(next() * limit);
  const at = below(bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  const piece = (from: Buffer) => {
    const start = below(from.length);
    return from.subarray(start, start + 1 + below(512));
  };
  switch (below(5)) {
    case 0:
      return bytes.subarray(0, at + 1);
    case 1:
      return Buffer.concat([before, after.subarray(1 + below(64))]);
    case 2:
      return Buffer.concat([before, ...Array.from({ length: 1 + below(50) }, () => piece(bytes)), after]);
    case 3:
      return Buffer.concat([before, piece(other), after]);
    default:
      return overwrite(bytes, below);
  }
}

function overwrite(bytes: Buffer, below: (limit: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  for (let count = 1 + below(20); count > 0; count -= 1) {
    const at = below(copy.length);
    copy[at] = below(2) === 0 ? below(256) : copy[at]! ^ (1 << below(8));
  }
  return copy;
}
