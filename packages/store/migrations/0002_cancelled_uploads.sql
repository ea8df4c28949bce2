alter table sluice.uploads drop constraint uploads_state_check;
alter table sluice.uploads add constraint uploads_state_check
  check (state in ('receiving', 'queued', 'processing', 'ready', 'failed', 'superseded', 'cancelled'));

-- The dead letters, for listing and redriving them.
create index uploads_failed on sluice.uploads (sequence) where state = 'failed';
