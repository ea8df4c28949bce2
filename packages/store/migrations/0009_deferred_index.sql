-- hnsw: searches use the index. deferred: they are exact until the initial load has ended and the index was built. none: they stay exact.
alter table sluice.collections add column vector_index text not null default 'hnsw'
  check (vector_index in ('hnsw', 'deferred', 'none'));
update sluice.collections c set vector_index = 'none' where not exists (
  select from pg_indexes where schemaname = 'sluice' and tablename = 'chunks_' || c.id and indexdef ilike '%using hnsw%'
);
