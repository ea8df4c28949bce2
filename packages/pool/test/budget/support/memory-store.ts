import type { Clock, ExchangeRequest, FleetStore } from '../../../src/budget/index.ts';
import { type Ledger, newLedger, settle } from '../../../src/budget/ledger.ts';

/** `lost`: calls are done, their answers do not come. `late`: the same, and they are done only after 4 s. */
export type Line = 'up' | 'down' | 'hangs' | 'lost' | 'late';

export interface MemoryLine extends FleetStore {
  line: Line;
  /** When the last exchange over it was done, but for those that came too late to count. */
  readonly answeredAt: number;
}

export interface MemoryServer {
  /** What one process sees of it, over a line of its own. */
  connect(): MemoryLine;
  /** The same for everybody. */
  line: Line;
  /** Loses its state. */
  flush(): void;
  readonly ledger: Ledger | undefined;
}

/** The rules of the ledger without a server, and with faults. */
export function createMemoryServer(
  clock: Clock,
  { fresh = true, latency }: { fresh?: boolean; latency?: () => number } = {},
): MemoryServer {
  let ledger: Ledger | undefined = fresh ? newLedger(clock.now(), { fresh }) : undefined;

  function exchange(request: ExchangeRequest) {
    const at = clock.now();
    const settled = settle(ledger ?? newLedger(at, { fresh: false }), request, at);
    ledger = settled.ledger;
    return structuredClone(settled.answer);
  }

  const server: MemoryServer = {
    line: 'up',
    flush() {
      ledger = undefined;
    },
    get ledger() {
      return ledger;
    },
    connect() {
      let answeredAt = clock.now();
      const store: MemoryLine = {
        driver: 'memory',
        line: 'up',
        get answeredAt() {
          return answeredAt;
        },
        exchange: (request) =>
          reached(store.line, () => {
            const answer = exchange(request);
            const own = ledger?.members.find(({ id }) => id === request.id);
            if (own?.turn === request.turn) answeredAt = clock.now();
            return answer;
          }),
        leave: (id) =>
          reached(store.line, () => {
            if (ledger) ledger = { ...ledger, members: ledger.members.filter((each) => each.id !== id) };
          }),
      };
      return store;
    },
  };

  async function reached<T>(own: Line, use: () => T): Promise<T> {
    const line = server.line === 'up' ? own : server.line;
    if (line === 'up') {
      await travel();
      const answer = use();
      await travel();
      return answer;
    }
    if (line === 'down') throw new Error('connection refused');
    if (line === 'lost') use();
    // What comes late to a store that is away then does not come at all: it would be heard of as alive, alone of all.
    if (line === 'late') clock.setTimeout(() => (isAway() ? undefined : use()), 4_000);
    return await new Promise<never>(() => {});
  }
  const isAway = () => server.line === 'down' || server.line === 'hangs';
  async function travel(): Promise<void> {
    if (latency) await new Promise<void>((resolve) => clock.setTimeout(resolve, latency()));
  }
  return server;
}
