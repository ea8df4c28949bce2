import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Runs a full collection of the calling thread, for the few moments at which tens of MiB of buffers have just been let go:
 * left to itself V8 collects them much later, and they count as memory in use until then. Takes tens of milliseconds.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    // The flag only shows in contexts that are made after it was set, so nothing else gets to see it.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
