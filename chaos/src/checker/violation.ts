/** What can be wrong in the end. Each is told of a row or of a thing that was sent. */
export const violationKinds = {
  wrong_answer: 'The gateway answered what its contract does not allow at that point.',
  lost_upload: 'It was accepted, was not deleted, and has no row.',
  unknown_upload: 'It has a row, and nobody was told of it.',
  resurrected_upload: 'It was deleted and has a row.',
  unfinished_upload: 'It has no final state.',
  wrong_state: 'It has another final state than what was sent and answered allows.',
  wrong_bytes: 'It could be retried, but its bytes are not complete.',
  lost_document: 'It should be live and is not.',
  unknown_document: 'It is none that anything was sent for.',
  resurrected_document: 'It was deleted and has a row, or chunks.',
  wrong_version: 'Another version is live than the last one that counts.',
  wrong_metadata: 'A document or a chunk has not the metadata that were sent last.',
  wrong_count: 'A figure of the row is not the number of chunks.',
  missing_chunk: 'A place of the document has no chunk.',
  doubled_chunk: 'A place of the document has more than one chunk.',
  unexpected_chunk: 'The document has a chunk that its bytes do not have.',
  wrong_text: 'A chunk, or its place in the document, is not as its bytes say.',
  wrong_vector: 'The vector is not that of the text and its headings.',
  wrong_markers: 'Not every sentence that was sent stands in the chunks once and in order.',
  orphaned_chunk: 'A chunk of a document that is not live.',
  orphaned_stage: 'A staged chunk is left.',
  orphaned_part: 'Bytes are kept of an upload that needs them no more.',
  orphaned_document: 'A document without a live version and without uploads.',
  orphaned_request: 'An upload that never arrived whole was not swept up.',
  queue_not_empty: 'Jobs are left although nothing is under way.',
  not_found: 'A search does not find a live document.',
} as const;
export type ViolationKind = keyof typeof violationKinds;

export interface Violation {
  kind: ViolationKind;
  /** Key of the document, id of the upload, or name of the table. */
  subject: string;
  detail: string;
}
