import type { UploadBody } from '@sluice/contract';
import { ErrorNote } from '../shell/error-note.tsx';
import { strings } from '../strings/index.ts';
import { Removal } from './removal.tsx';
import { isFinal } from './upload-list.ts';

const words = strings.uploads;

function Progress({ upload }: { upload: UploadBody }) {
  const { done, total } = upload.progress;
  return (
    <div class="progress">
      <progress
        aria-label={words.progress(upload.name)}
        {...(total !== null && { value: done, max: Math.max(total, 1) })}
      />
      <span class="small">
        {words.stages[upload.stage]}
        {total !== null && `, ${words.chunksOf(done, total)}`}
        {upload.attempts > 1 && `, ${words.attempt(upload.attempts)}`}
      </span>
    </div>
  );
}

function Facts({ upload }: { upload: UploadBody }) {
  const { progress, timings } = upload;
  const facts = [
    upload.collection,
    upload.format,
    words.size(upload.size_bytes),
    upload.state === 'ready' && progress.total !== null && words.chunks(progress.total),
    upload.state === 'ready' && timings.processed_ms !== null && words.took(timings.processed_ms),
  ];
  return (
    <span class="small facts">
      {facts.map((fact) => fact && <span key={fact}>{fact}</span>)}
      <time dateTime={timings.accepted_at}>{words.accepted(timings.accepted_at)}</time>
    </span>
  );
}

export function UploadRow({ upload, onRemove }: { upload: UploadBody; onRemove(): Promise<void> }) {
  return (
    <li class="row" data-state={upload.state}>
      <div class="row-head">
        <span class="name">{upload.name}</span>
        <span class="badge">{words.states[upload.state]}</span>
      </div>
      {!isFinal(upload) && <Progress upload={upload} />}
      {upload.error && <ErrorNote error={upload.error} />}
      {upload.error && !isFinal(upload) && <p class="small">{words.willRetry}</p>}
      <div class="row-foot">
        <Facts upload={upload} />
        <Removal name={upload.name} onRemove={onRemove} />
      </div>
    </li>
  );
}
