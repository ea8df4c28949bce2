// Reads from standbys. Withheld: the replicas themselves, whose pools only the router uses.
export type { LogPosition } from './log-position.ts';
export {
  createReadRouter,
  logPosition,
  type ReadRouter,
  type ReadRouterOptions,
  type ReadRouterStatus,
} from './read-router.ts';
