export { type RunningWorker, runWorker } from './run-worker.ts';
export { yieldProcessors } from './yield-processors.ts';
