-- Uploads that somebody follows as one. Its uploads hold the truth: states and counts are read from them.
create table sluice.batches (
  id uuid primary key,
  cancelled_at timestamptz,
  created_at timestamptz not null default now(),
  -- When uploads last came.
  updated_at timestamptz not null default now()
);
create index batches_by_age on sluice.batches (updated_at);

alter table sluice.uploads add column batch_id uuid references sluice.batches (id) on delete set null;
-- Counts by state come from the index alone, and so does the order of a listing.
create index uploads_by_batch on sluice.uploads (batch_id, sequence) include (state) where batch_id is not null;
