import type pg from 'pg';
import { cancelRunning } from './cancel.ts';
import { PoolError, sqlState } from './errors.ts';
import type { Host } from './hosts.ts';
import { type Preparation, send } from './named-query.ts';
import type { QueryOptions, Result, Row } from './queryable.ts';
import { settingsStatement } from './settings-statement.ts';
import { type NamingPolicy, Statements, staleReason } from './statements.ts';
import { callHook, type PoolTracer } from './tracer.ts';
import { Turns } from './turns.ts';

export interface ConnectionOptions {
  id: number;
  client: pg.Client;
  /** Of those that the pool may use. */
  openedAt: Host;
  host: string;
  port: number;
  /** There is a pooler in between: the session is not ours from one transaction to the next. */
  pooled: boolean;
  /**
   * When the server was started, as it says itself, in seconds since 1970: tells servers behind one address apart. Undefined
   * behind a pooler.
   */
  serverStarted: string | undefined;
  /** Cancel requests are understood. */
  cancellable: boolean;
  cancelTimeoutMs: number;
  naming: NamingPolicy;
  changesSession(text: string): boolean;
  /** SQL that brings a changed session back to what the pool has set up. */
  resetSql: string;
  tracer: PoolTracer;
  /** Its socket is gone, or it was given up. Called once, and not for `close`. */
  onDead(): void;
}

const closeTimeoutMs = 2_000;
const noValues: readonly unknown[] = [];
const noNames: readonly string[] = [];

/**
 * One server connection. It runs one statement at a time, in the order of arrival.
 *
 * usable -> dead, for good: when its socket dies, a cancelled statement does not end, or it is closed.
 */
export class Connection {
  readonly id: number;
  readonly client: pg.Client;
  readonly openedAt: Host;
  readonly host: string;
  readonly port: number;
  readonly pooled: boolean;
  readonly serverStarted: string | undefined;
  usable = true;
  /** Its session may differ from what the pool has set up. */
  changed = false;
  /** What else is to be done when it dies; for whom it is lent to. */
  whenDead: (() => void) | undefined;
  /** Of who has it now. */
  lane: string | undefined;
  /** The statement under way was cancelled or outlived its lease; nobody waits for it any more. */
  cancelling: Promise<void> | undefined;
  readonly #options: ConnectionOptions;
  readonly #statements: Statements;
  readonly #turns = new Turns();
  readonly #mourners = new Set<() => void>();
  #busy = false;
  #dead = false;
  #closing: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.id = options.id;
    this.client = options.client;
    this.openedAt = options.openedAt;
    this.host = options.host;
    this.port = options.port;
    this.pooled = options.pooled;
    this.serverStarted = options.serverStarted;
    this.#statements = new Statements(options.naming);
    this.client.on('error', () => this.#die());
    this.client.on('end', () => this.#die());
    const wire = (this.client as unknown as { connection: NodeJS.EventEmitter }).connection;
    // Sent when a setting that the server reports was changed, whoever did it and however.
    wire.on('parameterStatus', ({ parameterName }: { parameterName: string }) => {
      if (parameterName !== 'in_hot_standby') this.changed = true;
    });
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Number of the server's process that answers here; of the pooler's making when there is one. */
  get pid(): number | null {
    return (this.client as unknown as { processID: number | null }).processID;
  }

  get namedStatements(): number {
    return this.#statements.size;
  }

  /** Bytes that have gone through the socket in both directions: a statement that moves some is alive. */
  get traffic(): number {
    const { stream } = (this.client as unknown as { connection: { stream: TrafficStream } }).connection;
    return (stream.bytesRead ?? 0) + (stream.bytesWritten ?? 0) - stream.writableLength;
  }

  query<R extends Row>(
    text: string,
    values: readonly unknown[] = noValues,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    if (this.#options.changesSession(text)) this.changed = true;
    if (options?.signal || this.#busy) {
      return this.run(() => this.#traced<R>(text, values, options), options?.signal);
    }
    return this.#alone(text, values, options);
  }

  /** The usual case, a `run` without its detours: nothing runs, and nobody aborts it. */
  async #alone<R extends Row>(
    text: string,
    values: readonly unknown[],
    options: QueryOptions | undefined,
  ): Promise<Result<R>> {
    this.#busy = true;
    try {
      return await this.#traced<R>(text, values, options);
    } catch (error) {
      throw withOwnStack(error);
    } finally {
      this.#next();
    }
  }

  /**
   * Runs something on the client when its turn has come, alone. When `signal` is aborted, what has not begun never does,
   * and what runs is cancelled on the server while the caller goes on.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw abortedError(signal);
    if (this.#busy) await this.#turns.wait(signal, abortedError);
    this.#busy = true;
    if (!signal) {
      try {
        return await work();
      } catch (error) {
        throw withOwnStack(error);
      } finally {
        this.#next();
      }
    }
    return await this.#abortable(startWith(work), signal);
  }

  /** Resolves when nothing runs any more; cancels what does, and refuses what has not begun. Throws when it had to be given up. */
  async quiesce(error: unknown): Promise<void> {
    this.#turns.refuseAll(error);
    if (this.#busy && !this.cancelling) {
      const ended = this.#turns.wait(undefined, abortedError);
      this.cancelling = this.#cancel(ended);
      await this.cancelling;
      this.cancelling = undefined;
      if (this.#busy) this.#next();
    } else await this.cancelling;
    if (!this.usable) throw new Error('the connection was given up');
  }

  /** Throws when the server does not answer in time; the connection is of no use then. */
  async ping(timeoutMs: number): Promise<void> {
    await this.#within(timeoutMs, () => this.run(() => this.#send({ text: 'select 1' })));
  }

  /** Whether `reset` has anything to do. */
  needsReset(mode: 'detect' | 'always' | 'rollback'): boolean {
    // The server tells its transaction status at the end of every answer, so a clean session costs no round trip.
    if (!this.#isReady || this.client.getTransactionStatus() !== 'I') return true;
    return !this.pooled && (mode === 'always' || (mode === 'detect' && this.changed));
  }

  get #isReady(): boolean {
    return (this.client as unknown as { readyForQuery: boolean }).readyForQuery;
  }

  /** After an error the rest of the server's answer, with its transaction status, comes a moment later. */
  async #answered(): Promise<void> {
    if (this.#isReady || !this.usable) return;
    const { connection } = this.client as unknown as { connection: NodeJS.EventEmitter };
    await new Promise<void>((resolve) => {
      const settle = () => {
        connection.off('readyForQuery', settle);
        connection.off('end', settle);
        resolve();
      };
      connection.once('readyForQuery', settle);
      connection.once('end', settle);
    });
    if (!this.usable) throw new Error('Connection terminated');
  }

  /** Back to a clean session: an open or failed transaction is rolled back, and what was changed is put back. */
  async reset(mode: 'detect' | 'always' | 'rollback', timeoutMs: number): Promise<void> {
    await this.#within(timeoutMs, async () => {
      await this.#answered();
      if (this.client.getTransactionStatus() !== 'I') await this.run(() => this.#send({ text: 'rollback' }));
      if (!this.needsReset(mode)) return;
      await this.run(() => this.#send({ text: this.#options.resetSql }));
      this.#statements.forgetAll();
      this.#forgetParsed();
      this.changed = false;
    });
  }

  /** Resolves when the server has let go of it, or after two seconds. */
  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    // Also when it was given up: what runs on the server goes on there until it is told.
    const wasBusy = this.#busy;
    this.usable = false;
    this.#turns.refuseAll(new Error('Connection terminated'));
    if (wasBusy) {
      this.#destroySocket();
      // A server that computes does not notice that its client has gone.
      if (this.#options.cancellable) await this.#requestCancel(closeTimeoutMs).catch(() => {});
    }
    const timer = setTimeout(() => this.#destroySocket(), closeTimeoutMs);
    timer.unref();
    await this.client.end().catch(() => {});
    clearTimeout(timer);
  }

  #destroySocket(): void {
    (this.client as unknown as { connection: { stream: TrafficStream } }).connection.stream.destroy();
  }

  #die(): void {
    if (this.#dead || this.#closing) return;
    this.#dead = true;
    this.usable = false;
    this.#options.onDead();
    this.whenDead?.();
    for (const tell of this.#mourners) tell();
  }

  /** The same, but it also rejects when the connection dies, however long `work` takes to notice. */
  async untilDead<T>(work: Promise<T>): Promise<T> {
    let tell = () => {};
    const death = new Promise<never>((_, reject) => {
      tell = () => reject(new Error('Connection terminated unexpectedly'));
      this.#mourners.add(tell);
      if (!this.usable) tell();
    });
    try {
      return await Promise.race([work, death]);
    } finally {
      this.#mourners.delete(tell);
    }
  }

  #next(): void {
    if (!this.#turns.next()) this.#busy = false;
  }

  async #abortable<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
    let onAbort = () => {};
    const aborted = new Promise<'aborted'>((resolve) => {
      onAbort = () => resolve('aborted');
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    try {
      const first = await Promise.race([running, aborted]);
      if (!signal.aborted || first !== 'aborted') {
        this.#next();
        return first as T;
      }
    } catch (error) {
      this.#next();
      throw withOwnStack(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    this.cancelling = this.#cancel(running).then(() => {
      this.cancelling = undefined;
      this.#next();
    });
    throw abortedError(signal);
  }

  /** Resolves when the statement has ended and no cancel request is on its way. Never rejects. */
  async #cancel(running: Promise<unknown>): Promise<void> {
    let giveUp = () => {};
    const ended = new Promise<void>((resolve) => {
      running.then(
        () => resolve(),
        () => resolve(),
      );
      giveUp = () => {
        this.giveUp();
        // A COPY whose source is stuck does not end, whatever becomes of its connection.
        resolve();
      };
    });
    const timer = setTimeout(giveUp, this.#options.cancelTimeoutMs);
    timer.unref();
    try {
      if (this.#options.cancellable) await this.#requestCancel(this.#options.cancelTimeoutMs);
    } catch {
      // Where a late request may still arrive, the session is not safe for the next statement.
      giveUp();
    }
    await ended;
    clearTimeout(timer);
  }

  #requestCancel(timeoutMs: number): Promise<void> {
    return cancelRunning(this.client, timeoutMs);
  }

  /** Cuts the socket: what runs on it fails, and nobody gets it again. */
  giveUp(): void {
    this.#destroySocket();
    this.#die();
  }

  async #within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.giveUp();
    }, timeoutMs);
    timer.unref();
    try {
      return await work();
    } catch (error) {
      throw late ? new Error(`no answer within ${timeoutMs} ms`, { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #traced<R extends Row>(
    text: string,
    values: readonly unknown[],
    options: QueryOptions | undefined,
  ): Promise<Result<R>> {
    const execute = () => this.#execute<R>(text, values, options);
    if (!this.#options.tracer.query) return execute();
    return this.observe(text, execute, ({ rowCount }) => rowCount, options?.prepare);
  }

  /** Tells the tracer of a statement, however it is sent. */
  async observe<T>(
    text: string,
    execute: () => Promise<T>,
    countRows: (result: T) => number,
    prepared = false,
  ): Promise<T> {
    const hook = this.#options.tracer.query;
    const end = callHook(hook, { connection: this.id, lane: this.lane, text, prepared });
    try {
      const result = await execute();
      callHook(end, { rowCount: countRows(result) });
      return result;
    } catch (error) {
      callHook(end, { error });
      throw error;
    }
  }

  #execute<R extends Row>(
    text: string,
    values: readonly unknown[],
    options: QueryOptions | undefined,
  ): Promise<Result<R>> {
    const name = options?.prepare ? this.#statements.nameFor(text) : undefined;
    const settings = options?.settings && this.#preparation(options.settings);
    if (name === undefined && settings?.name === undefined) {
      return this.#send<R>({ text, values, name, settings });
    }
    // Inside a transaction the error has already failed it, so only the next use can be healed.
    const alone = this.client.getTransactionStatus() === 'I';
    const statement = { text, values, name, settings };
    return this.#send<R>(statement, (error) => {
      if (this.#heal(statement, error)) return alone ? this.#again<R>(statement) : undefined;
      // Whether the server has parsed it is not known when it did not run.
      if (settings?.name && !this.#hasParsed(settings))
        this.#statements.heal(settings.text, settings.name, 'plan');
      // Its parameters could not be encoded: `pg` has closed the statement then, and does not know it.
      if (name && sqlState(error) === undefined) this.#statements.heal(text, name, 'plan');
      return undefined;
    });
  }

  #preparation(settings: Readonly<Record<string, string>>): Preparation {
    const { text, values } = settingsStatement(settings);
    return { text, values, name: this.#statements.nameFor(text) };
  }

  async #again<R extends Row>({ text, values, name, settings }: Sent): Promise<Result<R>> {
    const named = {
      text,
      values,
      name: name && this.#statements.nameFor(text),
      settings: settings && { ...settings, name: this.#statements.nameFor(settings.text) },
    };
    try {
      return await this.#send<R>(named);
    } catch (error) {
      if (!this.#heal(named, error)) throw error;
      if (!this.pooled) this.#statements.gaveUp(error);
      const unnamed = settings && { ...settings, name: undefined };
      return await this.#send<R>({ text, values, name: undefined, settings: unnamed });
    }
  }

  /** True when the statement did not run and can be sent again. */
  #heal({ text, name, settings }: Sent, error: unknown): boolean {
    const reason = staleReason(error);
    if (!reason) return false;
    if (reason === 'lost') this.#forgetParsed();
    // A pooler that keeps statements loses none, so this one does not; each of them would fail again and again.
    if (reason !== 'plan' && this.pooled) this.#statements.gaveUp(error);
    if (name) this.#statements.heal(text, name, reason);
    if (settings?.name) this.#statements.heal(settings.text, settings.name, reason);
    return true;
  }

  #hasParsed({ name }: Preparation): boolean {
    return name !== undefined && this.#parsed[name] !== undefined;
  }

  get #parsed(): Record<string, string> {
    return (this.client as unknown as { connection: { parsedStatements: Record<string, string> } }).connection
      .parsedStatements;
  }

  #forgetParsed(): void {
    const wire = (this.client as unknown as { connection: { parsedStatements: Record<string, string> } })
      .connection;
    wire.parsedStatements = {};
  }

  #send<R extends Row>(
    { text, values = noValues, name, settings }: Sent,
    recover?: (error: Error) => Promise<Result<R>> | undefined,
  ): Promise<Result<R>> {
    const named = name !== undefined || settings?.name !== undefined;
    const close = named ? this.#statements.takeToClose() : noNames;
    return send<R>(this.client, { text, values, name, close, settings }, recover);
  }
}

interface Sent {
  text: string;
  values?: readonly unknown[] | undefined;
  name?: string | undefined;
  settings?: Preparation | undefined;
}

interface TrafficStream {
  bytesRead?: number;
  bytesWritten?: number;
  writableLength: number;
  destroy(): void;
}

/** The stack of an error from the wire leads to the socket; here it leads to whoever waits for the answer. */
function withOwnStack(error: unknown): unknown {
  if (sqlState(error) !== undefined) Error.captureStackTrace(error as Error, withOwnStack);
  return error;
}

/** What it throws at once it throws as others do. */
async function startWith<T>(work: () => Promise<T>): Promise<T> {
  return await work();
}

function abortedError(signal: AbortSignal): PoolError {
  return new PoolError('query_aborted', 'the statement was aborted by its caller', { cause: signal.reason });
}
