/** What a service process tells `sluice up` over IPC. */
export type ServiceMessage =
  /** It serves. `url` is that of the gateway. */
  | { type: 'started'; url: string | undefined }
  /** It could not start, and another attempt would not help. */
  | { type: 'failed'; message: string; advice: readonly string[] };

export function tellParent(message: ServiceMessage): Promise<void> {
  return new Promise((done) => {
    if (!process.send || !process.connected) return done();
    process.send(message, undefined, undefined, () => done());
  });
}
