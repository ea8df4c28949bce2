/** A worker in a process of its own, so that it can be stopped in the middle of something. */
import { runWorker } from '@sluice/worker';

const worker = await runWorker(process.env);
process.send?.('started');
process.once('disconnect', () => void worker.stop().then(() => process.exit(0)));
