import type { QueryBody, UploadBody } from '@sluice/contract';

const locale = 'en';
const whole = new Intl.NumberFormat(locale);
const plural = (count: number, one: string, many: string) =>
  `${whole.format(count)} ${count === 1 ? one : many}`;
const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const threeDigits = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const clock = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });

function duration(ms: number): string {
  if (ms < 1_000) return `${decimal.format(ms)} ms`;
  if (ms < 60_000) return `${decimal.format(ms / 1_000)} s`;
  return `${whole.format(Math.floor(ms / 60_000))} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

function size(bytes: number): string {
  if (bytes < 1_000) return plural(bytes, 'byte', 'bytes');
  if (bytes < 1_000_000) return `${decimal.format(bytes / 1_000)} kB`;
  return `${decimal.format(bytes / 1_000_000)} MB`;
}

export const en = {
  header: {
    links: 'Elsewhere',
    docs: 'API reference',
    queues: 'Queues',
  },
  key: {
    title: 'API key',
    label: 'API key',
    hint: 'Only needed when the server asks for one. It is kept in this tab until you close it.',
    wanted: 'The server wants an API key, or does not know this one.',
    save: 'Use key',
    forget: 'Forget it',
  },
  collections: {
    label: 'Collection',
    add: 'New',
    name: 'Name of the new collection',
    rule: '1 to 63 characters of a-z, 0-9, _ and -',
    create: 'Create',
    cancel: 'Cancel',
  },
  uploads: {
    title: 'Documents',
    drop: 'Drop files here, or choose them',
    formats: 'PDF, Word, PowerPoint, Excel, EPUB, HTML, Markdown, text, CSV, JSON',
    recent: 'Recent uploads',
    none: 'Nothing uploaded yet.',
    loading: 'Loading…',
    states: {
      queued: 'Queued',
      processing: 'Processing',
      ready: 'Ready',
      failed: 'Failed',
      superseded: 'Superseded',
      cancelled: 'Cancelled',
    } satisfies Record<UploadBody['state'], string>,
    stages: {
      waiting: 'Waiting for a worker',
      extracting: 'Extracting text',
      embedding: 'Embedding',
      publishing: 'Publishing',
      done: 'Done',
    } satisfies Record<UploadBody['stage'], string>,
    waiting: 'Waiting to be sent',
    sending: (share: number) => (share < 1 ? `Sending, ${Math.floor(share * 100)} %` : 'Sent, being stored'),
    chunksOf: (done: number, total: number) => `${whole.format(done)} of ${plural(total, 'chunk', 'chunks')}`,
    chunks: (count: number) => plural(count, 'chunk', 'chunks'),
    attempt: (count: number) => `attempt ${whole.format(count)}`,
    willRetry: 'It will be tried again.',
    size,
    took: (ms: number) => `in ${duration(ms)}`,
    accepted: (time: string) => clock.format(new Date(time)),
    progress: (name: string) => `Progress of ${name}`,
    announce: (name: string, state: string) => `${name}: ${state}`,
    remove: 'Delete',
    removeOf: (name: string) => `Delete ${name}`,
    removeSure: 'Delete document',
    keep: 'Keep',
    more: (count: number) => `Show all ${whole.format(count)}`,
    less: 'Show fewer',
    again: 'Try again',
    discard: 'Dismiss',
    cancel: 'Cancel',
  },
  search: {
    title: 'Search',
    label: 'Search the documents',
    example: 'How long is a bid valid?',
    submit: 'Search',
    searching: 'Searching…',
    count: 'Results',
    mode: 'Search by',
    modes: { vector: 'Meaning', text: 'Words', hybrid: 'Both' } satisfies Record<QueryBody['mode'], string>,
    start: 'Ask a question or type a few words. Vietnamese works with and without diacritics.',
    none: 'Nothing found in this collection.',
    summary: (count: number, totalMs: number) =>
      `${plural(count, 'passage', 'passages')} in ${duration(totalMs)}`,
    cached: {
      memory: 'from the cache',
      redis: 'from the shared cache',
      shared: 'shared with an identical query',
      stale: 'from the cache, past its time',
    },
    timings: (embedMs: number, searchMs: number) =>
      `embedding ${duration(embedMs)}, database ${duration(searchMs)}`,
    score: 'Score',
    scoreOf: (score: number) => threeDigits.format(score),
    page: (page: number) => `page ${whole.format(page)}`,
    part: (ordinal: number) => `chunk ${whole.format(ordinal + 1)}`,
    more: 'Show all',
    less: 'Show less',
  },
  errors: {
    request: (id: string) => `Request ${id}`,
    unreachable: 'The server does not answer. Is it running?',
    sendingBroke:
      'The connection broke while the file was being sent. The server may have stopped, or the file may be too large.',
    unexpected: 'The server answered something that this page does not understand.',
  },
};
