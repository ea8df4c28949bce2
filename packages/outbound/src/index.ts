// Requests to addresses that a stranger has chosen. Withheld: the policy and its parts, which are only safe together.
export { OutboundError, type OutboundErrorCode } from './errors.ts';
export { createFetcher, type FetchedFile, type Fetcher, type FetcherOptions } from './fetcher.ts';
export type { HostRule } from './policy.ts';
export { createPoster, type PostAnswer, type Poster, type PosterOptions } from './poster.ts';
