-- What an attempt has staged is taken up by the next one: windows belong to the upload, and whoever writes one holds its
-- fence. Unlogged, as losing them in a crash of the server costs time only: publishing counts them.
drop table sluice.staged_chunks;
create unlogged table sluice.staged_chunks (
  upload_id uuid not null references sluice.uploads (id) on delete cascade,
  ordinal integer not null,
  chunk_id uuid not null,
  text text not null,
  tokens integer not null,
  page integer,
  heading_path text[] not null,
  char_start integer not null,
  char_end integer not null,
  -- Null: the live version had this chunk already when it was staged; it keeps its vector.
  embedding vector,
  primary key (upload_id, ordinal)
);

-- Attempts in a row that ended without an answer and without having staged anything: their workers died of it.
alter table sluice.uploads add column lost_attempts integer not null default 0;
-- Milliseconds by stage, of the attempt that ended it.
alter table sluice.uploads add column stage_ms jsonb;
