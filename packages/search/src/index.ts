// What it means to answer a query.
export type { AnswerCacheOptions } from './answer-cache.ts';
export type { Degradation } from './degradation.ts';
export { SearchError } from './errors.ts';
export { createChunkFinder } from './find-chunks.ts';
export type { WordSearch } from './find-words.ts';
export {
  createLatencyReporter,
  type LatencyReporter,
  type LatencyReporterOptions,
} from './latency-reporter.ts';
export { type Query, type QueryAnswer, type QueryHit, queryCollections } from './query-collections.ts';
export {
  type MeasureOptions,
  measuredEfforts,
  measureRecall,
} from './recall/measure-recall.ts';
export { type RecallSamplerOptions, startRecallSampler } from './recall/recall-sampler.ts';
export type { RerankFormat } from './reranking/formats.ts';
export { createHttpReranker, type HttpRerankerOptions } from './reranking/http-reranker.ts';
export {
  queryReranked,
  type RerankedAnswer,
  type RerankedHit,
  type Reranking,
} from './reranking/query-reranked.ts';
export { type Reranker, RerankFault } from './reranking/reranker.ts';
export { skipWhileFailing } from './reranking/skip-while-failing.ts';
export { samplePressure } from './sampled-pressure.ts';
export {
  createSearch,
  type Search,
  type SearchAnswer,
  type SearchDependencies,
  type SearchRequest,
} from './search.ts';
export { untilAborted } from './until-aborted.ts';
