import { type AnswerBody, type QueryBody, querySchema } from '@sluice/contract';
import { type Query, queryReranked, type Reranking, untilAborted } from '@sluice/search';
import express, { Router } from 'express';
import type { Caller } from '../access/caller.ts';
import { HttpProblem } from '../http-problem.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { observeQuery } from '../observe-query.ts';
import { presentAnswer } from '../present-answer.ts';
import { ClientGone, requestSignal } from '../request-signal.ts';
import { requireCollection, type Services } from '../services.ts';
import { validate } from '../validate.ts';

/** The texts and vectors of a request, of which there is one at least. */
function questionsOf({ query, vector, queries }: QueryBody): (string | Float32Array)[] {
  return (queries ?? [{ query, vector }]).map((one) => one.query ?? (one.vector as Float32Array));
}

function wordsOf({ mode, hybrid }: QueryBody): Query['words'] {
  if (mode === 'vector') return undefined;
  return { mode, vectorWeight: hybrid?.vector_weight ?? 1, textWeight: hybrid?.text_weight ?? 1 };
}

function rerankingOf({ rerank, query }: QueryBody, configured: Services['reranking']): Reranking | undefined {
  if (rerank === false) return undefined;
  if (!configured)
    throw new HttpProblem(
      'rerank_not_configured',
      'this server has no re-ranker: set RERANK_URL, or leave rerank out',
    );
  const { query: text = query, candidates = configured.candidates } = rerank === true ? {} : rerank;
  return { reranker: configured.reranker, text: text as string, candidates };
}

export function queryRoutes({ catalog, search, reranking, searchTimeoutMs, onSearch }: Services): Router {
  const router = Router();

  async function answerTo(body: QueryBody, caller: Caller, signal: AbortSignal): Promise<AnswerBody> {
    const names = body.collections ?? [body.collection];
    const collections = await Promise.all(names.map((name) => requireCollection(catalog, name, caller)));
    const asked: Query = {
      collections,
      queries: questionsOf(body),
      k: body.k,
      words: wordsOf(body),
      filter: body.filter,
      minScore: body.score_threshold,
      maxPerDocument: body.max_per_document,
      context: body.context,
      cursor: body.cursor,
      explain: body.explain,
      signal,
      maxStaleMs: body.max_stale_seconds === undefined ? undefined : body.max_stale_seconds * 1_000,
    };
    const answer = await queryReranked(search, asked, rerankingOf(body, reranking));
    return presentAnswer(body, collections, answer);
  }

  router
    .route('/')
    .post(express.json({ limit: '1mb' }), async (request, response) => {
      const body = validate(querySchema, request.body);
      const timeoutMs = Math.min(body.timeout_ms ?? searchTimeoutMs, searchTimeoutMs);
      const signal = requestSignal(response, timeoutMs);
      try {
        const answering = () => untilAborted(signal, answerTo(body, request.caller, signal));
        response.json(await observeQuery(body.mode, onSearch, answering));
      } catch (error) {
        if (!(error instanceof ClientGone)) throw error;
      }
    })
    .all(methodNotAllowed('POST'));
  return router;
}
