/** Samples by name and labels, as they stand in the text: `name{label="value"}`. */
export async function readMetrics(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, sample, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (sample) samples.set(sample, Number(value));
  }
  return samples;
}

/** The sum of all samples of a metric whose labels contain this text. */
export function sumOf(samples: ReadonlyMap<string, number>, name: string, labels = ''): number {
  let sum = 0;
  for (const [sample, value] of samples) {
    if (sample.startsWith(`${name}{`) ? sample.includes(labels) : sample === name) sum += value;
  }
  return sum;
}
