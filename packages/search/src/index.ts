// What it means to answer a query.
export type { AnswerCacheOptions } from './answer-cache.ts';
export {
  createSearch,
  type Search,
  type SearchAnswer,
  type SearchDependencies,
  type SearchRequest,
} from './search.ts';
