// What it means to answer a query.
export {
  createSearch,
  type Search,
  type SearchAnswer,
  type SearchDependencies,
  type SearchRequest,
} from './search.ts';
