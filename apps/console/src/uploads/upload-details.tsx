import type { UploadBody } from '@sluice/contract';
import { Icon } from '../shell/icon.tsx';
import { strings } from '../strings/index.ts';

const stages = ['extracting', 'embedding', 'publishing'] as const;

/** How the time of an upload was shared out among its stages. */
function StageTimes({ times }: { times: NonNullable<UploadBody['timings']['stages_ms']> }) {
  const words = strings.value.uploads;
  const spent = stages.map((stage) => [stage, times[stage] ?? 0] as const);
  const all = Math.max(
    1,
    spent.reduce((sum, [, ms]) => sum + ms, 0),
  );
  return (
    <div class="stages">
      <p class="small">{words.timeOf}</p>
      <div class="stage-bar" aria-hidden="true">
        {spent.map(([stage, ms]) => (
          <span key={stage} data-stage={stage} style={{ flexGrow: ms / all }} />
        ))}
      </div>
      <ul class="legend">
        {spent.map(([stage, ms]) => (
          <li key={stage} data-stage={stage}>
            {words.stages[stage]} <b>{strings.value.format.duration(ms)}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function UploadDetails({ upload }: { upload: UploadBody }) {
  const { format, uploads: words, shell } = strings.value;
  const { timings, metadata } = upload;
  const facts: readonly (readonly [string, string | null])[] = [
    [words.facts.accepted, format.time(timings.accepted_at)],
    [words.facts.finished, timings.finished_at && format.time(timings.finished_at)],
    [words.facts.waited, timings.waited_ms === null ? null : format.duration(timings.waited_ms)],
    [words.facts.processed, timings.processed_ms === null ? null : format.duration(timings.processed_ms)],
    [words.facts.attempts, format.whole(upload.attempts)],
    [words.facts.document, upload.document_id],
    [words.facts.external, upload.external_id],
    [words.facts.sha256, upload.sha256],
    [words.facts.metadata, Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : null],
  ];
  return (
    <div class="details">
      <dl class="pairs">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {timings.stages_ms && <StageTimes times={timings.stages_ms} />}
      <p>
        <a href={`/admin/queues/queue/ingest-upload/${upload.id}`} target="_blank" rel="noreferrer">
          {words.job} <Icon name="outside" />
          <span class="visually-hidden">{shell.newTab}</span>
        </a>
      </p>
    </div>
  );
}
