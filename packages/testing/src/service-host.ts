/** A server process of its own, for one test or for a whole run. */
export interface RunningService extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** Stays the same over `kill`, `start` and `restart`. */
  readonly port: number;
  /** Of the main server process, as this process sees it; changes with every start. */
  readonly pid: number;
  /** Clean shutdown. The data stays. */
  stop(): Promise<void>;
  /** SIGKILL to the server and all its children. The data stays as the crash left it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** `stop` if it runs, then `start`: same port, same data. */
  restart(): Promise<void>;
  /** Kills the server and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RunningPostgres extends RunningService {
  /** Runs a program that came with the server, beside it and as its superuser (`pgbench`, `vacuumdb`); gives what it prints. */
  runProgram(program: string, args: readonly string[]): Promise<string>;
}

export interface PostgresOptions {
  /** On 127.0.0.1; a free one when not given. */
  readonly port?: number;
  /** Server settings, on top of defaults that trade safety against power loss (not against crashes) for speed. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Path of a postgresql.conf to start with, as it is: then the defaults for tests do not apply. */
  readonly configFile?: string;
  /** Size of its /dev/shm, as `shm_size` of a container. Ample when not given. */
  readonly sharedMemoryMb?: number;
}

export interface ReplicaOptions {
  readonly port?: number;
  /** On top of the defaults for tests and of what the primary's settings require. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** A streaming replica, open for reading. */
export interface RunningReplica extends RunningService {
  /** From here on nothing that the primary does becomes visible. What it sends is still received. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** It applies all it has received and becomes a primary; also when replay is paused. */
  promote(): Promise<void>;
}

export interface RedisOptions {
  readonly port?: number;
  /** redis.conf settings, e.g. `{ 'maxmemory-policy': 'allkeys-lru' }`. Nothing is persisted by default. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface PgBouncerOptions {
  readonly port?: number;
  /** URL of the Postgres behind it. */
  readonly upstream: string;
  /** pgbouncer.ini settings; transaction pooling with 200 kept prepared statements by default. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Content by name. */
export type Files = Readonly<Record<string, string>>;

export interface PrometheusHost {
  /**
   * Runs promtool in a folder with these files; one named `stdin.txt` is its input. Gives what it prints; throws with that when it finds
   * something wrong.
   */
  promtool(args: readonly string[], files: Files): Promise<string>;
  /** `prometheus.yml` among the files is its configuration. */
  startPrometheus(files: Files): Promise<RunningService>;
}

/** Something that can run servers: a Docker engine, or Debian's packages in a folder. */
export interface ServiceHost {
  readonly name: string;
  startPostgres(options?: PostgresOptions): Promise<RunningPostgres>;
  /** `primary` comes from this host's `startPostgres`. */
  startReplica(primary: RunningService, options?: ReplicaOptions): Promise<RunningService>;
  startRedis(options?: RedisOptions): Promise<RunningService>;
  startPgBouncer(options: PgBouncerOptions): Promise<RunningService>;
  /** Null: it has none. */
  readonly prometheus: PrometheusHost | null;
}
