/** A gateway in a process of its own, to be measured, killed, or one of several. Tells its URL over IPC. */
import { runGateway } from '../../src/index.ts';

const gateway = await runGateway(process.env);
process.send?.({ url: gateway.url });
process.once('disconnect', () => void gateway.stop().then(() => process.exit(0)));
