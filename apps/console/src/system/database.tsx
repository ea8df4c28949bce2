import type { DatabaseStatsBody, QualityBody } from '@sluice/contract';
import { strings } from '../strings/index.ts';
import { Table } from './table.tsx';

function Server({ database }: Pick<DatabaseStatsBody, 'database'>) {
  const { system: words, format } = strings.value;
  const hits = database.cache_hit_percent;
  return (
    <p class="small facts">
      <b>Postgres {database.postgres}</b>
      {database.pgvector && <span>pgvector {database.pgvector}</span>}
      <span>{format.size(database.bytes)}</span>
      <span>
        {words.connections} {format.whole(database.connections)} / {format.whole(database.max_connections)}
      </span>
      {hits !== null && (
        <span>
          {words.cacheHits} {format.percent(hits)}
        </span>
      )}
      <span>shared_buffers {format.size(database.shared_buffers_bytes)}</span>
      <span>maintenance_work_mem {format.size(database.maintenance_work_mem_bytes)}</span>
    </p>
  );
}

/** What the collections hold and take, and how well they are searched. */
export interface DatabaseProps {
  stats: DatabaseStatsBody;
  recall: ReadonlyMap<string, QualityBody>;
}

export function Database({ stats, recall }: DatabaseProps) {
  const { system: words, collections, format } = strings.value;
  return (
    <>
      <Server database={stats.database} />
      <Table
        label={words.collections}
        rows={stats.collection_stats}
        keyOf={({ collection }) => collection}
        columns={[
          { title: words.collection, cell: ({ collection }) => collection },
          { title: collections.documents, figure: true, cell: (row) => format.whole(row.documents) },
          { title: collections.chunks, figure: true, cell: (row) => format.whole(row.chunks) },
          { title: collections.size, figure: true, cell: (row) => format.size(row.bytes) },
          {
            title: words.indexSize,
            figure: true,
            cell: (row) =>
              row.index === 'ready' ? format.size(row.index_bytes) : words.indexStates[row.index],
          },
          {
            title: collections.recall,
            figure: true,
            cell: ({ collection }) => {
              const measured = recall.get(collection)?.recall_at_10;
              return measured ? format.percent(100 * measured.recall) : '–';
            },
          },
          { title: words.deadRows, figure: true, cell: (row) => format.percent(row.dead_rows_percent) },
          { title: collections.pending, figure: true, cell: (row) => format.whole(row.uploads_pending) },
        ]}
      />
    </>
  );
}
