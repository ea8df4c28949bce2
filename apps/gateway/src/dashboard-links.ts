import { ingestUploadJob } from '@sluice/queue';

export const dashboardPath = '/admin/queues';

/** Where the dashboard shows the job of an upload. */
export function jobUrl(uploadId: string): string {
  return `${dashboardPath}/queue/${ingestUploadJob.name}/${uploadId}`;
}
