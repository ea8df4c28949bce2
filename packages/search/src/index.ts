// What it means to answer a query.
export type { AnswerCacheOptions } from './answer-cache.ts';
export { SearchError } from './errors.ts';
export type { WordSearch } from './find-words.ts';
export { type Query, type QueryAnswer, type QueryHit, queryCollections } from './query-collections.ts';
export {
  createSearch,
  type Search,
  type SearchAnswer,
  type SearchDependencies,
  type SearchRequest,
} from './search.ts';
