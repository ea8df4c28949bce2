-- Gateways and workers that run, by what they say of themselves every few seconds. Unlogged: after a crash there is nothing to know of them.
create unlogged table sluice.processes (
  id uuid primary key,
  role text not null check (role in ('gateway', 'worker')),
  host text not null,
  pid integer not null,
  version text not null,
  report jsonb not null,
  started_at timestamptz not null,
  seen_at timestamptz not null default now()
) with (fillfactor = 50);

-- How the last build of a vector index went: when, how long, with which helpers, and what went wrong.
alter table sluice.collections add column last_index_build jsonb;
