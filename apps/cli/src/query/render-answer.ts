import type { AnswerBody, HitBody } from '@sluice/contract';
import { harmless, paint } from '../terminal.ts';
import { snippetOf } from './snippet.ts';

const snippetWidth = 320;

function placeOf({ page, heading_path: headings }: HitBody): string {
  const parts = [...(page === null ? [] : [`page ${page}`]), headings.join(' › ')].filter(Boolean);
  return parts.join(', ');
}

function renderHit(hit: HitBody, number: number, query: string): string {
  const { title, name, external_id: externalId } = hit.document;
  const about = title && title !== name ? `${title} (${name})` : name;
  const mark = (text: string) => paint.bold(paint.yellow(text));
  const lines = [
    `${paint.bold(`${number}.`)} ${paint.green(hit.score.toFixed(3))}  ${paint.bold(harmless(about))}`,
    `   ${paint.dim(harmless([externalId, placeOf(hit)].filter(Boolean).join('  ')))}`,
    `   ${snippetOf(harmless(hit.text), query, { width: snippetWidth, mark })}`,
  ];
  return lines.join('\n');
}

const sources: Record<Exclude<AnswerBody['answer']['cached'], 'none'>, string> = {
  memory: 'cached in memory',
  redis: 'cached in Redis',
  shared: 'shared with an identical query',
  stale: 'cached, past its time',
};

function figuresOf({ results, answer }: AnswerBody): string {
  const { embed_ms: embed, search_ms: search, total_ms: total } = answer.timings;
  const how =
    answer.cached === 'none'
      ? `embedding ${embed.toFixed(1)}, search ${search.toFixed(1)}`
      : sources[answer.cached];
  const hits = `${results.length} hit${results.length === 1 ? '' : 's'}`;
  const names = [...new Set(answer.searches?.map(({ collection }) => collection) ?? [answer.collection])];
  return `${hits} in collection${names.length === 1 ? '' : 's'} ${names.join(', ')}, ${total.toFixed(1)} ms (${how})`;
}

export function renderAnswer(body: AnswerBody, query: string): string {
  const hits = body.results.map((hit, index) => renderHit(hit, index + 1, query));
  const notices = body.answer.degraded.map(({ detail }) => paint.yellow(harmless(detail)));
  return [...hits, paint.dim(figuresOf(body)), ...notices].join('\n\n');
}
