// What it means to answer a query.
export type { IndexUsed } from './find-chunks.ts';
export {
  createSearch,
  type Search,
  type SearchAnswer,
  type SearchDependencies,
  type SearchRequest,
} from './search.ts';
