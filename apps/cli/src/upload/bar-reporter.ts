import { createLogUpdate } from 'log-update';
import { harmless, paint, stdout } from '../terminal.ts';
import { drawBar, type FileProgress } from './bar.ts';
import type { SourceFile } from './find-files.ts';
import { explainOutcome, type Outcome } from './outcome.ts';
import { outcomeLine, summaryOf } from './plain-reporters.ts';
import type { Reporter } from './upload-all.ts';

const redrawMs = 80;
const harmlessEnds: ReadonlySet<Outcome['kind']> = new Set(['superseded', 'cancelled', 'skipped']);

function paintOutcome(outcome: Outcome): string {
  const line = outcomeLine(outcome);
  if (outcome.kind === 'ready' || outcome.kind === 'accepted') return `${paint.green('✓')} ${line}`;
  if (harmlessEnds.has(outcome.kind)) return `${paint.yellow('-')} ${line}`;
  const reasons = explainOutcome(outcome).map((reason) => paint.dim(`    ${harmless(reason)}`));
  return [`${paint.red('✗')} ${line}`, ...reasons].join('\n');
}

/** A bar per file under way, and above them a line per file that is done: hundreds of files need a few lines of screen. */
export function createBarReporter(total: number): Reporter {
  const underWay = new Map<SourceFile, FileProgress>();
  const update = createLogUpdate(stdout);
  let done = 0;
  let timer: NodeJS.Timeout | undefined;

  function draw(): void {
    // More lines than the screen has would scroll away and be drawn again and again.
    const room = Math.max(1, (stdout.rows ?? 24) - 3);
    const shown = [...underWay.values()].slice(0, room).map(drawBar);
    if (total > 1) shown.push(paint.dim(`${done} of ${total} files done`));
    update(shown.join('\n'));
  }
  return {
    started(file) {
      underWay.set(file, { file, sentBytes: 0, upload: undefined });
      timer ??= setInterval(draw, redrawMs);
    },
    sent(file, bytes) {
      const progress = underWay.get(file);
      if (progress) progress.sentBytes = bytes;
    },
    status(file, upload) {
      const progress = underWay.get(file);
      if (progress) progress.upload = upload;
    },
    done(outcome) {
      underWay.delete(outcome.file);
      done += 1;
      update.persist(paintOutcome(outcome));
      draw();
    },
    finished(outcomes) {
      clearInterval(timer);
      update.clear();
      update.done();
      if (total > 1) stdout.write(`${summaryOf(outcomes)}\n`);
    },
  };
}
