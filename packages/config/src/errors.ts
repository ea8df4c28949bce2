export interface ConfigProblem {
  variable: string;
  given: string;
  expected: string;
}

/** One or more environment variables do not fit. The message names each with its value and what was expected. */
export class ConfigError extends Error {
  readonly code = 'invalid_configuration';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, given, expected }) => `  ${variable}=${given}: expected ${expected}`,
    );
    super(`the configuration does not fit:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
