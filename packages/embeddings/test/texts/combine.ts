/** 300 different texts of five sentences each, every sentence made of one part of each list; always the same ones. */
export function combine(...parts: readonly (readonly string[])[]): string[] {
  let state = 1;
  const pick = (list: readonly string[]) => {
    // Numerical Recipes' linear congruential generator; its high bits are the random ones.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return list[Math.floor((state / 2 ** 32) * list.length)];
  };
  const texts = new Set<string>();
  while (texts.size < 300) {
    texts.add(Array.from({ length: 5 }, () => parts.map(pick).join(' ')).join(' '));
  }
  return [...texts];
}
