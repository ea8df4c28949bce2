/** A worker in a process of its own, as `sluice worker` runs it. */
import { runWorker } from '@sluice/worker';

process.once('disconnect', () => process.exit(1));
const worker = await runWorker(process.env);
process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
process.send?.('started');
