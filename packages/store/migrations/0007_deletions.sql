-- What was deleted, by ids and figures, so that what is left of it can be counted at any time. Nothing of its contents.
create table sluice.deletions (
  id uuid primary key,
  kind text not null check (kind in ('upload', 'document', 'collection')),
  -- Id of the upload or document, name of the collection.
  target text not null,
  -- No reference: it may be gone as well.
  collection_id bigint not null,
  -- The document that went; null when none did, or all of a collection.
  document_id uuid,
  -- Of all uploads that went; of a collection only those that could still have had bytes, staged chunks or a job.
  upload_ids uuid[] not null,
  -- Of the collection, with the deletion. Answers that are cached under an earlier one may hold what was deleted.
  generation bigint not null,
  deleted jsonb not null,
  deleted_at timestamptz not null default now()
);
create index deletions_by_age on sluice.deletions (deleted_at);
