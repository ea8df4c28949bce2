/** A gateway or a worker in a process of its own, as `sluice` runs it; ends with whoever has started it. */
import { runGateway } from '@sluice/gateway';
import { runWorker } from '@sluice/worker';

const running = process.argv[2] === 'gateway' ? await runGateway(process.env) : await runWorker(process.env);
process.send?.({ url: 'url' in running ? running.url : null });
process.once('disconnect', () => void running.stop().then(() => process.exit(0)));
