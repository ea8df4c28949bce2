import { isIPv4 } from 'node:net';
import { ConfigError, type ConfigProblem } from './errors.ts';
import { type Values, type VariableName, variables } from './schema.ts';

export type Environment = Record<string, string | undefined>;

// The value of a secret never appears in an error: a log is the first place where it would be found.
function shown(name: VariableName, value: string): string {
  return variables[name].secret ? '(hidden)' : JSON.stringify(value);
}

export function isLoopback(host: string): boolean {
  return ['::1', 'localhost'].includes(host) || (isIPv4(host) && host.startsWith('127.'));
}

/** Rules that hold between variables. */
function crossCheck(values: Values): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const key of values.SLUICE_API_KEYS) {
    if (key.length < 16) {
      problems.push({
        variable: 'SLUICE_API_KEYS',
        given: '(hidden)',
        expected: 'keys of at least 16 characters',
      });
      break;
    }
  }
  if (values.EMBEDDING_PROVIDER === 'openai' && !values.OPENAI_API_KEY) {
    problems.push({
      variable: 'OPENAI_API_KEY',
      given: '(not set)',
      expected: 'a key, because EMBEDDING_PROVIDER=openai',
    });
  }
  problems.push(...onnxProblems(values));
  if ((values.WEBHOOK_URL || values.WEBHOOK_HOSTS.length > 0) && !values.WEBHOOK_SECRET) {
    problems.push({
      variable: 'WEBHOOK_SECRET',
      given: '(not set)',
      expected: 'a secret, because WEBHOOK_URL or WEBHOOK_HOSTS is set and webhooks are signed',
    });
  }
  if (values.DATABASE_URL && !values.REDIS_URL && !URL.canParse(values.DATABASE_URL)) {
    problems.push({
      variable: 'DATABASE_URL',
      given: '(hidden)',
      expected: 'one host, because the queue in Postgres (REDIS_URL is not set) knows no other',
    });
  }
  if (values.DB_BUDGET === 'static' && !values.DB_BUDGET_MEMBERS) {
    problems.push({
      variable: 'DB_BUDGET_MEMBERS',
      given: '(not set)',
      expected: 'the most processes there will be, because DB_BUDGET=static',
    });
  }
  if (values.DB_BUDGET === 'static' && !values.DB_BUDGET_LIMIT) {
    problems.push({
      variable: 'DB_BUDGET_LIMIT',
      given: '(not set)',
      expected: 'the connections for all processes together, because DB_BUDGET=static',
    });
  }
  if (values.DB_BUDGET === 'redis' && !values.REDIS_URL) {
    problems.push({
      variable: 'REDIS_URL',
      given: '(not set)',
      expected: 'a Redis, because DB_BUDGET=redis',
    });
  }
  if (values.SCALE_MIN_WORKERS > values.SCALE_MAX_WORKERS) {
    problems.push({
      variable: 'SCALE_MIN_WORKERS',
      given: String(values.SCALE_MIN_WORKERS),
      expected: `no more than SCALE_MAX_WORKERS (${values.SCALE_MAX_WORKERS})`,
    });
  }
  if (values.REDIS_URL && !values.DATABASE_URL) {
    problems.push({
      variable: 'DATABASE_URL',
      given: '(not set)',
      expected: 'a Postgres URL, because REDIS_URL is set (unset both for the embedded mode)',
    });
  }
  return problems;
}

/** Unlike the other providers this one has no model that goes without saying. */
function onnxProblems(values: Values): ConfigProblem[] {
  if (values.EMBEDDING_PROVIDER !== 'onnx') return [];
  const needed = {
    EMBEDDING_ONNX_MODELS_DIR: 'the folder of the models',
    EMBEDDING_MODEL: 'the name of a model',
    EMBEDDING_DIMENSIONS: 'the length of its vectors',
  };
  return (Object.keys(needed) as (keyof typeof needed)[])
    .filter((variable) => !values[variable])
    .map((variable) => {
      return {
        variable,
        given: '(not set)',
        expected: `${needed[variable]}, because EMBEDDING_PROVIDER=onnx`,
      };
    });
}

/** Parses and validates the environment once. Empty variables count as not set. Throws `ConfigError` with every problem. */
export function loadValues(environment: Environment): Values {
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const name of Object.keys(variables) as VariableName[]) {
    const given = environment[name];
    const text = given === undefined || given === '' ? variables[name].default : given;
    const parsed = variables[name].schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else {
      const expected = parsed.error.issues[0]?.message ?? 'another value';
      problems.push({
        variable: name,
        given: shown(name, text ?? ''),
        expected: expected.replace(/^expected /, ''),
      });
    }
  }
  if (problems.length === 0) problems.push(...crossCheck(values as Values));
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Values;
}
