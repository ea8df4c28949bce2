create table sluice.api_keys (
  -- Stands in the key itself, so that one is found without trying all hashes, and an operator can tell which one a client has.
  id text primary key check (id ~ '^[0-9A-Za-z]{12}$'),
  name text not null,
  -- SHA-256 of the whole key: it is random, so there is nothing to guess that a slow hash would make dear.
  hash bytea not null check (length(hash) = 32),
  -- The key before the last rotation, which clients may still send until then.
  previous_hash bytea check (length(previous_hash) = 32),
  previous_until timestamptz,
  scopes text[] not null check (scopes <@ array['ingest', 'query', 'monitor', 'admin'] and cardinality(scopes) > 0),
  -- Names, so that a key can be made before its collection; null: all of them.
  collections text[] check (cardinality(collections) > 0),
  -- Null: what the environment says; 0: no limit.
  requests_per_minute integer check (requests_per_minute >= 0),
  uploads_per_day integer check (uploads_per_day >= 0),
  upload_bytes_per_day bigint check (upload_bytes_per_day >= 0),
  -- Id of the key that made it, or what did.
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  -- Written at most once a minute.
  last_used_at timestamptz,
  -- What monitors or administers sees all collections.
  check (collections is null or scopes <@ array['ingest', 'query'])
);

create function sluice.announce_api_keys() returns trigger language plpgsql as $$
begin
  -- The channel of collections: who listens there needs no second connection for it.
  perform pg_notify('sluice_changes', 'api_keys');
  return null;
end $$;

-- A trigger, so that a key which somebody revokes by hand is revoked at once as well. Not of `last_used_at`: it changes nothing.
create trigger api_keys_announce after insert or delete or update of
  hash, previous_hash, previous_until, scopes, collections, requests_per_minute, uploads_per_day, upload_bytes_per_day,
  expires_at, revoked_at
  on sluice.api_keys for each statement execute function sluice.announce_api_keys();

-- Who made it: an empty batch belongs to nobody else whose key is for some collections only. No reference: keys of the environment
-- have no row.
alter table sluice.batches add column key_id text;

create table sluice.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  -- key.create, collection.delete and so on.
  action text not null,
  target text,
  details jsonb not null default '{}',
  -- Id and name of the key, as it was called then.
  key_id text,
  key_name text not null,
  address text,
  request_id text
);
create index audit_log_by_age on sluice.audit_log (at);
