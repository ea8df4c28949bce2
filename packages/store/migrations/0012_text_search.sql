-- Of the words of chunks. off: none are kept. filling: those of chunks from before are being made. deferred: all are there, and
-- searches scan them until the index was built. none: searches scan them for good. gin: they use the index.
-- Collections that are there keep no words until somebody asks for it: their chunk tables get the column then.
alter table sluice.collections add column text_index text not null default 'off'
  check (text_index in ('off', 'filling', 'deferred', 'none', 'gin'));
-- Null: staged by a release that made none. They are made after publishing, like those of older chunks.
set local lock_timeout = '10s';
alter table sluice.staged_chunks add column words tsvector;
