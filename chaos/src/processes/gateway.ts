/** A gateway in a process of its own, as `sluice gateway` runs it. */
import { runGateway } from '@sluice/gateway';

process.once('disconnect', () => process.exit(1));
const gateway = await runGateway(process.env);
process.once('SIGTERM', () => void gateway.stop().then(() => process.exit(0)));
process.send?.('started');
