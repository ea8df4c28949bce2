-- How much of what exact search finds the vector index of a collection has found, and the effort (hnsw.ef_search) chosen by that.
set local lock_timeout = '5s';
create table sluice.recall_measurements (
  collection_id bigint primary key references sluice.collections (id) on delete cascade,
  effort integer not null,
  -- What the effort was chosen to hold.
  target double precision not null,
  recall double precision not null,
  recall_low double precision not null,
  recall_high double precision not null,
  -- Queries.
  sample_size integer not null,
  -- [{"effort": 20, "recall": 0.98, "low": 0.97, "high": 0.99}]
  curve jsonb not null,
  chunks bigint not null,
  generation bigint not null,
  measured_at timestamptz not null default now()
);
