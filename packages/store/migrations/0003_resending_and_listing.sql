-- What a request with an Idempotency-Key has brought, so that the same one again brings nothing twice.
create table sluice.idempotency_keys (
  key text primary key,
  -- SHA-256 over the files of the request and what it said of them.
  fingerprint bytea not null,
  upload_ids uuid[] not null,
  created_at timestamptz not null default now()
);
create index idempotency_keys_by_age on sluice.idempotency_keys (created_at);

-- The live version had the same bytes, settings, name and metadata, so there was nothing to do.
alter table sluice.uploads add column unchanged boolean not null default false;

create index documents_by_collection on sluice.documents (collection_id, created_at, id);
