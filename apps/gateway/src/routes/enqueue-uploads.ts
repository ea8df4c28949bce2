import { ingestUploadJob } from '@sluice/queue';
import type { WaitingUpload } from '@sluice/store';
import type { Services } from '../services.ts';

/** Not waited for: the uploads are durable, and the reconciler enqueues what the queue did not take. */
export function enqueueUploads(
  { producer, log }: Pick<Services, 'producer' | 'log'>,
  uploads: readonly WaitingUpload[],
  requestId: string,
): void {
  const entries = uploads.map(({ id, turn }) => {
    return { jobId: id, payload: { uploadId: id }, priority: turn };
  });
  producer.enqueueMany(ingestUploadJob, entries).catch((error) => {
    log.warn(
      { request_id: requestId, err: error },
      'the queue does not answer; uploads wait for the reconciler',
    );
  });
}
