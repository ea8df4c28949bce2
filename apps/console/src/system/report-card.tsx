import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/api-error.ts';
import { ErrorNote } from '../shell/error-note.tsx';
import { strings } from '../strings/index.ts';
import type { Report } from './monitor.ts';

export interface ReportCardProps<T> {
  id: string;
  title: string;
  hint?: string;
  report: Report<T>;
  children(value: T): ComponentChildren;
}

/** Why there is no answer, or none newer than what is shown. That the connection is lost is said elsewhere. */
function Refusal({ error, known }: { error: ApiError; known: boolean }) {
  const words = strings.value.system;
  if (error.status === 403) return <p class="empty">{words.forbidden}</p>;
  if (error.status === 404) return <p class="empty">{words.notThere}</p>;
  return known && error.status === 0 ? null : <ErrorNote error={error} />;
}

/** A section around a report: what it says, or why it cannot be seen, without taking the others with it. */
export function ReportCard<T>({ id, title, hint, report, children }: ReportCardProps<T>) {
  const words = strings.value.system;
  const { value, error } = report;
  return (
    <section class="card" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {hint && <p class="small">{hint}</p>}
      </div>
      {value !== null && children(value)}
      {error && <Refusal error={error} known={value !== null} />}
      {value === null && !error && <p class="empty">{words.loading}</p>}
    </section>
  );
}
