import type { Queryable } from '@sluice/pool';
import type { IndexBuildRecord } from './index-builds.ts';

/** What the server says of itself and of this database. Sizes are in bytes, counts are since the server's statistics were reset. */
export interface ServerStatistics {
  bytes: number;
  /** Of all databases of the server. */
  connections: number;
  maxConnections: number;
  blocksHit: number;
  blocksRead: number;
  sharedBuffersBytes: number;
  maintenanceWorkMemBytes: number;
  /** Of the extension, as the server could install it. Null where it cannot tell. */
  pgvectorAvailable: string | null;
}

export async function readServerStatistics(db: Queryable): Promise<ServerStatistics> {
  const { rows } = await db.query<ServerStatistics & Record<string, unknown>>(
    `select pg_database_size(current_database())::bigint as bytes,
       (select coalesce(sum(numbackends), 0)::int from pg_stat_database) as connections,
       current_setting('max_connections')::int as "maxConnections",
       d.blks_hit::bigint as "blocksHit", d.blks_read::bigint as "blocksRead",
       pg_size_bytes(current_setting('shared_buffers')) as "sharedBuffersBytes",
       pg_size_bytes(current_setting('maintenance_work_mem')) as "maintenanceWorkMemBytes",
       (select default_version from pg_available_extensions where name = 'vector') as "pgvectorAvailable"
     from (select sum(blks_hit) as blks_hit, sum(blks_read) as blks_read
           from pg_stat_database where datname = current_database()) d`,
  );
  return rows[0] as ServerStatistics;
}

export interface IndexStatistics {
  name: string;
  /** E.g. `hnsw`, `gin`. */
  method: string;
  bytes: number;
  /** How often it was used. */
  scans: number;
  /** The setting of the collection without which it would not be there; null where Sluice cannot do without it. */
  setting: 'metadata_indexes' | 'text_search' | null;
}

export interface CollectionFigures {
  id: number;
  name: string;
  dimensions: number;
  storage: 'vector' | 'halfvec';
  documents: number;
  distinctSources: number;
  chunks: number;
  characters: number;
  uploadsPending: number;
  /** Of the chunks with their indexes. */
  bytes: number;
  liveRows: number;
  deadRows: number;
  /** `none`: there is no vector index, and none will be; `deferred`: none yet. */
  vectorIndex: 'none' | 'deferred' | 'hnsw';
  building: boolean;
  indexes: IndexStatistics[];
  lastIndexBuild: IndexBuildRecord | null;
}

/** Sums over documents, and statistics that the server keeps: no scan of chunks. */
export async function readCollectionFigures(db: Queryable): Promise<CollectionFigures[]> {
  const { rows } = await db.query<CollectionFigures & Record<string, unknown>>(
    `with live as (
       select collection_id, count(*) as documents, count(distinct name) as sources,
         coalesce(sum(chunk_count), 0)::bigint as chunks, coalesce(sum(character_count), 0)::bigint as characters
       from sluice.documents where live_upload_id is not null group by collection_id
     ), pending as (
       select collection_id, count(*) as uploads from sluice.uploads where state in ('queued', 'processing') group by collection_id
     ), indexes as (
       select x.indrelid, json_agg(json_build_object('name', i.relname, 'method', m.amname,
           'bytes', pg_relation_size(i.oid), 'scans', coalesce(s.idx_scan, 0), 'setting', case when i.relname ~ '^chunks_[0-9]+_by_' then 'metadata_indexes' when i.relname ~ '^chunks_[0-9]+_words$' then 'text_search' end
         ) order by i.relname) as list
       from pg_index x join pg_class i on i.oid = x.indexrelid join pg_am m on m.oid = i.relam
         left join pg_stat_all_indexes s on s.indexrelid = i.oid
       where i.relnamespace = 'sluice'::regnamespace and x.indisvalid group by x.indrelid
     )
     select c.id, c.name, c.dimensions, c.storage, c.vector_index as "vectorIndex", c.last_index_build as "lastIndexBuild",
       coalesce(live.documents, 0) as documents, coalesce(live.sources, 0) as "distinctSources",
       coalesce(live.chunks, 0) as chunks, coalesce(live.characters, 0) as characters,
       coalesce(pending.uploads, 0) as "uploadsPending",
       coalesce(pg_total_relation_size(t.oid), 0)::bigint as bytes,
       coalesce(s.n_live_tup, 0)::bigint as "liveRows", coalesce(s.n_dead_tup, 0)::bigint as "deadRows",
       exists (select from pg_stat_progress_create_index b where b.relid = t.oid) as building,
       coalesce(indexes.list, '[]') as indexes
     from sluice.collections c
       left join pg_class t on t.oid = to_regclass('sluice.chunks_' || c.id)
       left join pg_stat_all_tables s on s.relid = t.oid
       left join indexes on indexes.indrelid = t.oid
       left join live on live.collection_id = c.id left join pending on pending.collection_id = c.id
     order by c.name`,
  );
  return rows;
}
