export interface ComposeVariable {
  /** Undefined: docker compose refuses to start without it. */
  default: string | undefined;
  description: string;
  secret: boolean;
}

/** What docker-compose.yml and deploy/monitoring.compose.yml read besides the variables of the services themselves. */
export const composeVariables: Record<string, ComposeVariable> = {
  POSTGRES_PASSWORD: {
    default: undefined,
    description:
      'Password of the database role, used when the database is created. Required; letters and digits only, as it becomes part of a URL (`openssl rand -hex 24`).',
    secret: true,
  },
  PUBLISH_HOST: {
    default: '127.0.0.1',
    description: 'Address of the host on which the gateway can be reached; 0.0.0.0 is every one.',
    secret: false,
  },
  PUBLISH_PORT: { default: '3000', description: 'Port of the host for the gateway.', secret: false },
  WORKER_REPLICAS: {
    default: '2',
    description: 'Workers to run; `--scale worker=N` goes before it.',
    secret: false,
  },
  WORKER_DB_POOL_SIZE: { default: '5', description: 'DB_POOL_SIZE of each worker.', secret: false },
  WORKER_DB_MAX_OVERFLOW: { default: '5', description: 'DB_MAX_OVERFLOW of each worker.', secret: false },
  PROMETHEUS_API_KEY: {
    default: '',
    description:
      'A key with the scope `monitor`, with which Prometheus reads the metrics. For deploy/monitoring.compose.yml.',
    secret: true,
  },
  GRAFANA_PASSWORD: {
    default: undefined,
    description:
      'Password of the user admin of Grafana. Required by deploy/monitoring.compose.yml (`openssl rand -hex 24`).',
    secret: true,
  },
  GRAFANA_PORT: {
    default: '3300',
    description: 'Port of the host for Grafana, at PUBLISH_HOST. For deploy/monitoring.compose.yml.',
    secret: false,
  },
  SLUICE_VERSION: { default: '0.1.0', description: 'Tag of the image that is built and run.', secret: false },
};

/** Set by docker-compose.yml itself: a value in `.env` changes nothing there. */
export const fixedByCompose = [
  'HOST',
  'PORT',
  'WORKER_HOST',
  'WORKER_PORT',
  'DATABASE_URL',
  'REDIS_URL',
  'CACHE_REDIS_URL',
];

/** Of the embedded mode, which containers do not have. */
export const unusedInCompose = ['SLUICE_DATA_DIR', 'SLUICE_EMBEDDED'];
