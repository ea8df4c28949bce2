/** A gateway, a worker or a bare Express in a process of its own, gateway and worker as `sluice` runs them; ends with whoever has started it. */
import { type RunningGateway, runGateway } from '@sluice/gateway';
import { type RunningWorker, runWorker, yieldProcessors } from '@sluice/worker';
import { runExpress } from '../contenders/bare-express.ts';

type Running = RunningGateway | RunningWorker | Awaited<ReturnType<typeof runExpress>>;

function run(role: string | undefined): Promise<Running> {
  if (role === 'express') return runExpress(JSON.parse(process.env.ANSWER ?? ''));
  if (role === 'gateway') return runGateway(process.env);
  yieldProcessors(process.env);
  return runWorker(process.env);
}

const running = await run(process.argv[2]);
process.send?.({ url: 'url' in running ? running.url : null });
process.once('disconnect', () => void running.stop().then(() => process.exit(0)));
