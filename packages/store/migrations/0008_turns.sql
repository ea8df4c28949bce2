alter table sluice.uploads add column priority text not null default 'normal' check (priority in ('high', 'normal', 'low'));
-- Its place among all that wait, smaller first; given out so that each collection gets its share.
alter table sluice.uploads add column turn integer;
create index uploads_waiting on sluice.uploads (turn) where state = 'queued' and attempts = 0;
create index uploads_waiting_by_flow on sluice.uploads (collection_id, priority, turn) where state = 'queued' and attempts = 0;
