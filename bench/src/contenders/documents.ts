const subjects = [
  'guarantees',
  'tenders',
  'suppliers',
  'contracts',
  'appeals',
  'prices',
  'evaluation',
  'delivery',
];

/** A text of `paragraphs` of about 90 words each, one chunk of 128 tokens; different for each `seed`. */
export function documentText(seed: number, paragraphs: number): string {
  return Array.from({ length: paragraphs }, (_, i) => {
    const number = (seed * 7_919 + i * 104_729) % 1_000_003;
    return Array.from({ length: 6 }, (_, j) => {
      const subject = subjects[(number + j) % subjects.length];
      return `Rule ${number + j} of ${subject} says what a buyer does with offer ${number % (j + 97)} before day ${j + 3}.`;
    }).join(' ');
  }).join('\n\n');
}
