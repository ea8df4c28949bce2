/** A worker in a process of its own, as `sluice worker` runs it. */
import { runWorker } from '../../src/index.ts';

const worker = await runWorker(process.env);
process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
process.once('disconnect', () => process.exit(1));
process.send?.('started');
