import type { Content } from './corpus/content.ts';
import type { CollectionName } from './corpus/corpus.ts';

export type Metadata = Record<string, string | number>;

/** An upload that was answered with 202 and has not been deleted. */
export interface SentUpload {
  id: string;
  idempotencyKey: string;
  content: Content;
  fileName: string;
  metadata: Metadata;
  cancelled: boolean;
}

/** One logical document: what was sent for it, and what was answered. */
export interface SentDocument {
  key: string;
  collection: CollectionName;
  /** Of the document that has the external id now. */
  documentId: string | undefined;
  /** In the order in which they were accepted. */
  uploads: SentUpload[];
  /** The last change of a live version's metadata, and which version that was. */
  change: { uploadId: string; metadata: Metadata } | undefined;
}

/** All that the outside was told. The checker believes this and nothing else. */
export interface Ledger {
  documents: SentDocument[];
  /** Ids that were deleted, by an answer that said so. */
  deletedUploads: Set<string>;
  deletedDocuments: Set<string>;
  /** Answers that the contract does not know at that point. */
  wrongAnswers: { subject: string; detail: string }[];
}

export function createLedger(plans: readonly { key: string; collection: CollectionName }[]): Ledger {
  return {
    documents: plans.map(({ key, collection }) => ({
      key,
      collection,
      documentId: undefined,
      uploads: [],
      change: undefined,
    })),
    deletedUploads: new Set(),
    deletedDocuments: new Set(),
    wrongAnswers: [],
  };
}

/** A version that must become live if no later one does. */
export function counts(upload: SentUpload): boolean {
  return !upload.cancelled && upload.content.kind !== 'broken';
}

/** The version that must be live in the end. */
export function expectedLive(document: SentDocument): SentUpload | undefined {
  return document.uploads.findLast(counts);
}

/** Metadata of the live version in the end. */
export function expectedMetadata(document: SentDocument, live: SentUpload): Metadata {
  return document.change?.uploadId === live.id ? document.change.metadata : live.metadata;
}

/** The document is gone, with everything that was sent for it. */
export function forgetDocument(ledger: Ledger, document: SentDocument): void {
  for (const { id } of document.uploads) ledger.deletedUploads.add(id);
  if (document.documentId) ledger.deletedDocuments.add(document.documentId);
  document.uploads = [];
  document.documentId = undefined;
  document.change = undefined;
}

/** One upload is gone; the document with it when nothing else was ever sent for it. */
export function forgetUpload(ledger: Ledger, document: SentDocument, id: string): void {
  if (document.uploads.every((upload) => upload.id === id)) {
    forgetDocument(ledger, document);
    return;
  }
  ledger.deletedUploads.add(id);
  document.uploads = document.uploads.filter((upload) => upload.id !== id);
}
