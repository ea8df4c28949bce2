import type { ViolationKind } from '../../src/checker/violation.ts';

export interface Corruption {
  title: string;
  /** `:document` is a live document of the first collection with several chunks, `:upload` its live version. */
  sql: string;
  /** All kinds that the checker has to report then. */
  reported: readonly ViolationKind[];
  /** Needs foreign keys to look away. */
  relaxed?: true;
}

const chunk = 'document_id = :document and ordinal = 1';
const columns = 'document_id, text, tokens, page, heading_path, char_start, char_end, metadata, embedding';
const newUpload = (id: string, document: string, state: string) =>
  `insert into sluice.uploads (id, collection_id, document_id, external_id, file_name, format, chunk_max_tokens, chunk_overlap_tokens, state, stage)
   values (${id}, 1, ${document}, 'x', 'x', 'text', 48, 0, '${state}', 'done')`;

export const corruptions: readonly Corruption[] = [
  {
    title: 'a chunk that is missing',
    sql: `delete from sluice.chunks_1 where ${chunk}`,
    reported: ['missing_chunk', 'wrong_markers'],
  },
  {
    title: 'a chunk that is there twice',
    sql: `insert into sluice.chunks_1 (id, ordinal, ${columns}) select gen_random_uuid(), ordinal, ${columns} from sluice.chunks_1 where ${chunk}`,
    reported: ['doubled_chunk', 'wrong_markers'],
  },
  {
    title: 'a chunk of an older version',
    sql: `insert into sluice.chunks_1 (id, ordinal, ${columns}) select gen_random_uuid(), 1000000, ${columns} from sluice.chunks_1 where ${chunk}`,
    reported: ['unexpected_chunk', 'wrong_markers'],
  },
  {
    title: 'a text that was changed',
    sql: `update sluice.chunks_1 set text = text || ' ' where ${chunk}`,
    reported: ['wrong_text'],
  },
  {
    title: 'two chunks that changed places',
    sql: `update sluice.chunks_1 set ordinal = 1 - ordinal where document_id = :document and ordinal < 2`,
    reported: ['wrong_text', 'wrong_vector', 'wrong_markers'],
  },
  {
    title: 'a heading that was changed',
    sql: `update sluice.chunks_1 set heading_path = heading_path || 'more'::text where ${chunk}`,
    reported: ['wrong_text'],
  },
  {
    title: 'a vector of another text',
    sql: `update sluice.chunks_1 set embedding = (select embedding from sluice.chunks_1 where document_id = :document and ordinal = 0) where ${chunk}`,
    reported: ['wrong_vector'],
  },
  {
    title: 'other metadata of a chunk',
    sql: `update sluice.chunks_1 set metadata = '{"other":1}' where ${chunk}`,
    reported: ['wrong_metadata'],
  },
  {
    title: 'other metadata of a document',
    sql: `update sluice.documents set metadata = '{"other":1}' where id = :document`,
    reported: ['wrong_metadata'],
  },
  {
    title: 'a count that is off',
    sql: 'update sluice.documents set chunk_count = chunk_count + 1 where id = :document',
    reported: ['wrong_count'],
  },
  {
    title: 'an upload that is not final',
    sql: `update sluice.uploads set state = 'processing' where id = :upload`,
    reported: ['unfinished_upload', 'orphaned_document'],
  },
  {
    title: 'a valid upload that failed, and whose bytes are gone',
    sql: `update sluice.uploads set state = 'failed', error = '{"code":"broken_document"}' where id = :upload`,
    reported: ['wrong_state', 'wrong_bytes', 'orphaned_document'],
  },
  {
    title: 'a last version that was superseded',
    sql: `update sluice.uploads set state = 'superseded' where id = :upload`,
    reported: ['wrong_state', 'orphaned_document'],
  },
  {
    title: 'an upload that is lost',
    sql: 'delete from sluice.uploads where id = :upload',
    reported: ['lost_upload', 'orphaned_document'],
  },
  {
    title: 'an upload that nobody was told of',
    sql: newUpload('gen_random_uuid()', ':document', 'ready'),
    reported: ['unknown_upload'],
  },
  {
    title: 'a document that is not live any more, and its chunks',
    sql: 'update sluice.documents set live_upload_id = null where id = :document',
    reported: ['lost_document', 'orphaned_chunk'],
  },
  {
    title: 'another version that is live',
    sql: `update sluice.documents set live_upload_id = gen_random_uuid() where id = :document`,
    reported: ['wrong_version', 'orphaned_document'],
  },
  {
    title: 'chunks of a document that is not there',
    sql: 'delete from sluice.documents where id = :document',
    relaxed: true,
    reported: ['lost_document', 'orphaned_chunk'],
  },
  {
    title: 'a chunk that is left staged',
    sql: `insert into sluice.staged_chunks (upload_id, chunk_id, ordinal, text, tokens, heading_path, char_start, char_end)
      values (:upload, gen_random_uuid(), 0, 'x', 1, '{}', 0, 1)`,
    reported: ['orphaned_stage'],
  },
  {
    title: 'bytes of a version that is live',
    sql: `insert into sluice.upload_parts (upload_id, part, bytes) values (:upload, 0, 'x')`,
    reported: ['orphaned_part'],
  },
  {
    title: 'bytes of an upload that is not there',
    sql: `insert into sluice.upload_parts (upload_id, part, bytes) values (gen_random_uuid(), 0, 'x')`,
    relaxed: true,
    reported: ['orphaned_part'],
  },
  {
    title: 'a document without versions and uploads',
    sql: `insert into sluice.documents (id, collection_id, external_id, name) values (gen_random_uuid(), 1, 'x', 'x')`,
    reported: ['unknown_document', 'orphaned_document'],
  },
  {
    title: 'a request that never arrived whole',
    sql: newUpload('gen_random_uuid()', 'gen_random_uuid()', 'receiving'),
    reported: ['orphaned_request'],
  },
];
