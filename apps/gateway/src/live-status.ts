import type { AttemptProgress, ProgressChannel } from '@sluice/progress';
import type { Upload } from '@sluice/store';

export function progressOf({ id, fence, stage, chunksDone, chunksTotal }: Upload): AttemptProgress {
  return { uploadId: id, fence, stage, chunksDone, chunksTotal };
}

/** The upload as it stands by what its worker has announced since the row was written. */
export function withProgress(upload: Upload, { stage, chunksDone, chunksTotal }: AttemptProgress): Upload {
  return { ...upload, stage, chunksDone, chunksTotal };
}

/** Uploads as their rows were just read, those being worked on with what is known beyond. */
export async function withLiveProgress(
  channel: Pick<ProgressChannel, 'newest'>,
  uploads: readonly Upload[],
): Promise<Upload[]> {
  const underWay = uploads.filter(({ state }) => state === 'processing').map(progressOf);
  const live = new Map((await channel.newest(underWay)).map((progress) => [progress.uploadId, progress]));
  return uploads.map((upload) => {
    const progress = live.get(upload.id);
    return progress ? withProgress(upload, progress) : upload;
  });
}
