/** A worker in a process of its own, as `sluice worker` runs it. */
process.once('disconnect', () => process.exit(1));
// Imported only now: what it loads takes a while, and whoever has started it may be gone before that is over.
const { runWorker } = await import('@sluice/worker');
const worker = await runWorker(process.env);
process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
process.send?.('started');

export {};
