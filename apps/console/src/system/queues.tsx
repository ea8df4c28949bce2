import type { QueueReportBody } from '@sluice/contract';
import { strings } from '../strings/index.ts';
import { Table } from './table.tsx';

const states = ['waiting', 'active', 'delayed', 'failed', 'completed'] as const;

export function Queues({ report }: { report: QueueReportBody }) {
  const { system: words, format } = strings.value;
  return (
    <Table
      label={words.queues}
      rows={report.queues}
      keyOf={({ name }) => name}
      columns={[
        { title: words.queue, cell: ({ name }) => <a href={`/admin/queues/queue/${name}`}>{name}</a> },
        ...states.map((state) => ({
          title: words.counts[state],
          figure: true,
          cell: (queue: QueueReportBody['queues'][number]) => format.whole(queue[state]),
        })),
      ]}
    />
  );
}
