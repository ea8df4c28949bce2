-- What gateways have seen of their searches a moment ago. Unlogged: after a crash there is nothing to know of them.
create unlogged table sluice.search_latency (
  process uuid primary key,
  p95_ms real not null,
  reported_at timestamptz not null default now()
);
