/**
 * An extractor in a process of its own, so that its memory can be measured: reads the documents that it is told over IPC,
 * all at once, and tells what came of each, and how much was resident at most.
 */
import { readFileSync } from 'node:fs';
import { createExtractor, type ExtractorOptions, type Format } from '../../src/index.ts';

export interface ReadingTask {
  options: ExtractorOptions;
  documents: { path: string; format: Format }[];
  /** Documents are left after so many characters. */
  leaveAt?: number | undefined;
}

export interface ReadingResult {
  outcomes: { code: string; characters: number; pages: number | null; milliseconds: number }[];
  /** Most that was resident since the process began, in bytes. */
  peakBytes: number;
}

async function read(task: ReadingTask): Promise<ReadingResult> {
  await using extractor = createExtractor(task.options);
  const outcomes = await Promise.all(
    task.documents.map(async (input) => {
      const started = performance.now();
      const extraction = extractor.extract(input);
      let code = 'read';
      let characters = 0;
      try {
        for await (const chunks of extraction) {
          characters = chunks.at(-1)!.charEnd;
          if (characters >= (task.leaveAt ?? Number.POSITIVE_INFINITY)) break;
        }
      } catch (error) {
        code = (error as { code?: string }).code ?? String(error);
      }
      const { pages } = await extraction.summary.catch(() => ({ pages: null }));
      return { code, characters, pages, milliseconds: Math.round(performance.now() - started) };
    }),
  );
  return { outcomes, peakBytes: peakBytes() };
}

function peakBytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

process.once('message', async (task: ReadingTask) => {
  process.send?.(await read(task));
  process.disconnect();
});
