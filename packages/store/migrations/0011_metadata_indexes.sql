-- [{"field": "court.level", "type": "number"}]: expressions of metadata that have an index of their own.
alter table sluice.collections add column metadata_indexes jsonb not null default '[]';
