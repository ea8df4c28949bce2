-- Who is told when the upload has ended.
alter table sluice.uploads add column webhook_url text;

-- What is to be told, and to whom: an outbox. It outlives the upload, so that the news of one that is deleted still arrives.
create table sluice.webhook_deliveries (
  -- The same for every attempt: receivers know by it what they have had already.
  id uuid primary key default gen_random_uuid(),
  upload_id uuid not null,
  url text not null,
  payload jsonb not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  -- While an attempt runs: when another process may take it for dead.
  due_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index webhook_deliveries_due on sluice.webhook_deliveries (due_at) where state = 'pending';
create index webhook_deliveries_by_age on sluice.webhook_deliveries (created_at);

create function sluice.record_webhook() returns trigger language plpgsql as $$
begin
  insert into sluice.webhook_deliveries (upload_id, url, payload)
  select new.id, new.webhook_url, jsonb_build_object(
    'type', 'upload.' || new.state,
    'timestamp', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', jsonb_build_object(
      'id', new.id, 'status_url', '/v1/uploads/' || new.id, 'state', new.state, 'error', new.error,
      'unchanged', new.unchanged, 'batch_id', new.batch_id, 'collection', c.name, 'document_id', new.document_id,
      'external_id', new.external_id, 'name', new.file_name, 'chunks', new.chunks_total))
  from sluice.collections c where c.id = new.collection_id;
  return null;
end $$;

-- A trigger, because uploads end in many places, and none of them shall be able to forget it.
create trigger uploads_webhook after update of state on sluice.uploads for each row
  when (new.webhook_url is not null and old.state <> new.state
    and new.state in ('ready', 'failed', 'superseded', 'cancelled'))
  execute function sluice.record_webhook();
