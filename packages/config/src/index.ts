// Read by apps only; packages take options.
export { type Config, loadConfig, type Mode, requireServices } from './config.ts';
export { ConfigError, type ConfigProblem } from './errors.ts';
export type { Environment } from './load.ts';
export { type Group, type VariableName, variables } from './schema.ts';
