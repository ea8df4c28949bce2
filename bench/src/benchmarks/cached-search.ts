import type { Benchmark } from '../benchmark.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import { createSearcher, randomCollection, randomVector, type Searcher } from '../contenders/searchers.ts';
import { errors, p50, p95, runClosedLoop, throughput } from '../measure/load.ts';
import { alternate, type Case, type Figures } from '../measure/rounds.ts';

interface Load {
  callers: number;
  /** Who search for what is not known meanwhile. */
  others: number;
}

async function measure(
  { search }: Searcher,
  known: readonly Float32Array[],
  { callers, others }: Load,
  pace: { rampMs: number; measureMs: number },
): Promise<Figures> {
  for (const vector of known) await search(vector);
  let next = 0;
  const call = () => search(known[next++ % known.length] as Float32Array);
  const aside = runClosedLoop({ callers: others, ...pace, call: () => search(randomVector()) });
  const figures = await runClosedLoop({ callers, ...pace, call });
  await aside;
  return figures;
}

export const cachedSearch: Benchmark = {
  name: 'cached-search',
  title: 'What it costs to confirm a cached answer',
  what: `One of 100 answers that are held in process, asked by \`createSearch\` in this process, wired as in a gateway, without HTTP; alone, and
beside 16 callers whose searches have to run (5 000 vectors of 384 dimensions), so that processors and server are busy. \`confirmed\` has the
database confirm that nothing was written since, by one statement for all callers of a moment; \`by notification\` relies on
LISTEN/NOTIFY alone, which is what \`SEARCH_CONFIRM_MS=0\` does, and may miss a write of a moment ago.`,

  async run(context) {
    const { url } = await context.server();
    const pace = context.quick
      ? { rounds: 1, rampMs: 50, measureMs: 200 }
      : { rounds: 5, rampMs: 200, measureMs: 1_000 };
    context.progress('loading vectors');
    const { url: database } = await createSearchedDatabase(url, randomCollection);
    await using confirmed = await createSearcher('confirmed', database, { confirms: true });
    await using notified = await createSearcher('by notification', database, { confirms: false });
    const known = Array.from({ length: 100 }, randomVector);

    const cases: Case[] = [];
    for (const load of [
      { callers: 1, others: 0 },
      { callers: 64, others: 0 },
      { callers: 512, others: 0 },
      { callers: 64, others: 16 },
      { callers: 512, others: 16 },
    ]) {
      const contenders = [confirmed, notified].map((searcher) => ({
        name: searcher.name,
        measure: () => measure(searcher, known, load, pace),
      }));
      const name = `${load.callers} caller${load.callers === 1 ? '' : 's'}${load.others > 0 ? `, ${load.others} uncached` : ''}`;
      cases.push(await alternate(name, contenders, { ...pace, onRound: context.progress }));
    }
    return {
      cases,
      comparisons: [{ ours: confirmed.name, peers: [notified.name], metrics: [throughput, p50] }],
      metrics: [throughput, p50, p95, errors],
    };
  },
};
