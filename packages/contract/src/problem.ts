import { z } from 'zod';

/** RFC 9457 problem document, `application/problem+json`. */
export const problemSchema = z
  .object({
    type: z.string().describe('A URI reference that names the kind of problem'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Literal code for programs'),
    detail: z.string().describe('What was wrong and what to do'),
    instance: z.string().optional().describe('The path of the request'),
    request_id: z.string().optional(),
    errors: z
      .array(
        z.object({
          path: z.string().describe('Where in the request, as a JSON pointer or a parameter name'),
          message: z.string(),
          given: z.unknown().optional(),
        }),
      )
      .optional()
      .describe('Each place that did not fit'),
  })
  .catchall(z.unknown())
  .meta({
    id: 'Problem',
    description: 'What went wrong (RFC 9457). Further members hold the figures that `detail` names.',
  });

export type Problem = z.output<typeof problemSchema>;

/** Codes of problem documents and of errors on uploads: HTTP status (0: only on an upload) and meaning. */
export const problemCodes = {
  invalid_request: [400, 'The request does not fit the schema; `errors` says where'],
  invalid_json: [400, 'The body is not JSON'],
  invalid_multipart: [400, 'The multipart body is broken or cut off'],
  no_file: [400, 'The request has no file and no text'],
  empty_file: [400, 'A file has no bytes'],
  wrong_vector_length: [400, 'The vector does not have the dimensions of the collection'],
  unsupported_dimensions: [400, 'The storage cannot index that many dimensions'],
  collections_differ: [400, 'Collections of different models or distances cannot be searched together'],
  rerank_not_configured: [400, 'The server has no re-ranker (RERANK_URL); leave `rerank` out'],
  unauthorized: [401, 'A key is needed, or the one given is not known'],
  url_not_allowed: [403, 'The server does not fetch documents from that URL'],
  forbidden: [403, 'The API key does not have the scope that the request needs; `scope` names it'],
  forbidden_collection: [403, 'The API key is for other collections than the one that the request names'],
  forbidden_origin: [403, 'A web page of another site, or a Host that is not this machine'],
  collection_not_found: [404, 'No collection has that name'],
  upload_not_found: [404, 'No upload has that id; it may have been deleted'],
  batch_not_found: [404, 'No batch has that id'],
  document_not_found: [404, 'No live document has that id'],
  receipt_not_found: [404, 'No deletion has that receipt; they are kept for 90 days'],
  key_not_found: [404, 'No API key has that id'],
  not_found: [404, 'No such path'],
  method_not_allowed: [405, 'The path exists, but not with that method'],
  not_acceptable: [406, 'None of the types in Accept can be given'],
  document_changed: [409, 'Another version of the document went live meanwhile; ask again'],
  text_search_unavailable: [
    409,
    'The collection keeps no words, or not those of all chunks yet; PATCH it with `text_search: true`, or wait',
  ],
  idempotency_key_reused: [409, 'Another request has used the same Idempotency-Key for something else'],
  cursor_expired: [
    409,
    'The collection has changed since the page before; leave the cursor out to begin anew',
  ],
  upload_final: [409, 'The upload has ended, so it cannot be cancelled'],
  upload_not_retryable: [409, 'Only an upload that failed or was cancelled can be retried'],
  batch_cancelled: [409, 'The batch was cancelled and takes no more uploads'],
  batch_full: [409, 'The batch would have more than 2 000 uploads'],
  collection_exists: [409, 'A collection of that name exists already'],
  key_ended: [409, 'The API key has expired or was revoked, so it cannot be rotated'],
  request_timeout: [408, 'The body of the request did not arrive in time'],
  file_too_large: [413, 'A file or body is over the limit'],
  too_many_files: [413, 'The request has more files than allowed'],
  unknown_format: [415, 'The format of a file is not known; `known_formats` lists those that are'],
  unsupported_media_type: [415, 'The endpoint does not take a body of that type'],
  url_refused: [422, 'The URL leads to something other than a document'],
  rate_limited: [
    429,
    'Too many requests of this API key, or wrong keys from this address; Retry-After says when to go on',
  ],
  quota_exceeded: [
    429,
    'The API key has used up its quota of uploads for the day; Retry-After says when it begins anew',
  ],
  backlog_full: [429, 'Too many uploads wait; send it again after the time in Retry-After'],
  url_unreachable: [502, 'The server of the URL cannot be reached, or it broke off'],
  embedding_unavailable: [503, 'The embedding provider does not answer or refuses'],
  overloaded: [503, 'Too many requests wait; send it again after the time in Retry-After'],
  database_unavailable: [503, 'The database does not answer, or no connection was free in time'],
  url_timeout: [504, 'The server of the URL did not send the document in time'],
  deadline_exceeded: [504, 'The search took longer than its time limit, and was ended'],
  internal: [500, 'A fault of ours; the log has it under the request id'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof problemCodes;
