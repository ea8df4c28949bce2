import type { UploadBody } from '@sluice/contract';
import { harmless, paint } from '../terminal.ts';
import type { SourceFile } from './find-files.ts';

const barWidth = 24;
const nameWidth = 32;

export interface FileProgress {
  file: SourceFile;
  sentBytes: number;
  /** Undefined until the server has accepted it. */
  upload: UploadBody | undefined;
}

const stageWords = {
  waiting: 'waiting',
  extracting: 'extracting',
  embedding: 'embedding',
  publishing: 'publishing',
  done: 'done',
} as const satisfies Record<UploadBody['stage'], string>;

function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= nameWidth) return text.padEnd(nameWidth + text.length - characters.length);
  // The end tells files of one folder apart.
  return `…${characters.slice(1 - nameWidth).join('')}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

function stateOf({ file, sentBytes, upload }: FileProgress): { share: number; text: string } {
  if (!upload) {
    const share = file.bytes > 0 ? Math.min(sentBytes / file.bytes, 1) : 0;
    if (file.bytes < 1_000_000) return { share, text: 'sending' };
    return { share, text: `sending ${megabytes(share * file.bytes)} of ${megabytes(file.bytes)} MB` };
  }
  const { done, total } = upload.progress;
  const share = upload.state === 'ready' ? 1 : total ? done / total : 0;
  const counts = total ? ` ${done}/${total} chunks` : '';
  const retry = upload.attempts > 1 ? ` (attempt ${upload.attempts})` : '';
  return { share, text: `${stageWords[upload.stage]}${counts}${retry}` };
}

/** One line: name, bar, what is being done. */
export function drawBar(progress: FileProgress): string {
  const { share, text } = stateOf(progress);
  const filled = Math.round(share * barWidth);
  const bar = paint.cyan('█'.repeat(filled)) + paint.dim('░'.repeat(barWidth - filled));
  return `${shorten(harmless(progress.file.name))} ${bar} ${text}`;
}
