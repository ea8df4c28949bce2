import type { Queryable } from '@sluice/pool';

/** Size of one part, in bytes: the most that the gateway and a worker hold of an upload at once. */
export const partBytes = 1_048_576;

export async function insertPart(
  db: Queryable,
  uploadId: string,
  part: number,
  bytes: Buffer,
): Promise<void> {
  await db.query(
    `with part as (
       insert into sluice.upload_parts (upload_id, part, bytes) values ($1::uuid, $2::int, $3::bytea) returning upload_id
     )
     update sluice.uploads set updated_at = now() where id = (select upload_id from part)`,
    [uploadId, part, bytes],
  );
}

/** The bytes of an upload in order, one part a round trip. Ends early when the upload is deleted meanwhile. */
export async function* readParts(
  db: Queryable,
  { id, sizeBytes }: { id: string; sizeBytes: number },
): AsyncGenerator<Buffer> {
  for (let part = 0; part * partBytes < sizeBytes; part += 1) {
    const { rows } = await db.query<{ bytes: Buffer }>(
      'select bytes from sluice.upload_parts where upload_id = $1::uuid and part = $2::int',
      [id, part],
      { prepare: true },
    );
    const bytes = rows[0]?.bytes;
    if (!bytes) return;
    yield bytes;
  }
}
