import type { ComponentChildren } from 'preact';
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
      {error?.status === 403 && <p class="empty">{words.forbidden}</p>}
      {error?.status === 404 && <p class="empty">{words.notThere}</p>}
      {error && error.status !== 403 && error.status !== 404 && value === null && <ErrorNote error={error} />}
      {value === null && !error && <p class="empty">{words.loading}</p>}
    </section>
  );
}
