create table sluice.collections (
  id bigint generated always as identity primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  embedding_provider text not null,
  embedding_model text not null,
  dimensions integer not null check (dimensions between 1 and 4000),
  distance text not null check (distance in ('cosine', 'l2', 'inner_product')),
  storage text not null check (storage in ('vector', 'halfvec')),
  chunk_max_tokens integer not null,
  chunk_overlap_tokens integer not null,
  language text not null,
  -- Counts the writes that changed what a search can find; part of every cache key.
  generation bigint not null default 0,
  created_at timestamptz not null default now()
);

create table sluice.documents (
  id uuid primary key,
  collection_id bigint not null references sluice.collections (id) on delete cascade,
  external_id text not null,
  name text not null,
  metadata jsonb not null default '{}',
  -- Null until a first version is live.
  live_upload_id uuid,
  live_sequence bigint not null default 0,
  format text,
  title text,
  chunk_count integer not null default 0,
  character_count bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (collection_id, external_id)
);

create table sluice.uploads (
  id uuid primary key,
  -- Order of acceptance: of two versions of one document the later one wins.
  sequence bigint generated always as identity,
  collection_id bigint not null references sluice.collections (id) on delete cascade,
  document_id uuid not null,
  external_id text not null,
  file_name text not null,
  format text not null,
  size_bytes bigint not null default 0,
  content_hash bytea,
  metadata jsonb not null default '{}',
  chunk_max_tokens integer not null,
  chunk_overlap_tokens integer not null,
  state text not null check (state in ('receiving', 'queued', 'processing', 'ready', 'failed', 'superseded')),
  stage text not null check (stage in ('receiving', 'waiting', 'extracting', 'embedding', 'publishing', 'done')),
  -- Whoever works on the upload holds the latest fence; the work of an older one is refused when it publishes.
  fence integer not null default 0,
  attempts integer not null default 0,
  chunks_done integer not null default 0,
  chunks_total integer,
  error jsonb,
  request_id text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now()
);
create index uploads_unfinished on sluice.uploads (updated_at) where state in ('receiving', 'queued', 'processing');
create index uploads_by_collection on sluice.uploads (collection_id, sequence desc);
create index uploads_by_document on sluice.uploads (document_id);

create table sluice.upload_parts (
  upload_id uuid not null references sluice.uploads (id) on delete cascade,
  part integer not null,
  bytes bytea not null,
  primary key (upload_id, part)
);
-- Uploads are mostly compressed already; trying again costs time and gains nothing.
alter table sluice.upload_parts alter column bytes set storage external;

create table sluice.staged_chunks (
  upload_id uuid not null references sluice.uploads (id) on delete cascade,
  fence integer not null,
  chunk_id uuid not null,
  ordinal integer not null,
  text text not null,
  tokens integer not null,
  page integer,
  heading_path text[] not null,
  char_start integer not null,
  char_end integer not null,
  -- Null: the live version has this chunk already and it keeps its vector.
  embedding vector,
  primary key (upload_id, fence, chunk_id)
);

-- Work that one replica at a time should do.
create table sluice.leases (
  name text primary key,
  held_until timestamptz not null
);
