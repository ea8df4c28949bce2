import { existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type Dockerignore from '@balena/dockerignore';
import { type Copy, DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { describe, expect, test } from 'vitest';
import { compose } from './compose-file.ts';
import { ROOT, read } from './repository.ts';

const path = 'deploy/Dockerfile';
const instructions = DockerfileParser.parse(read(path)).getInstructions();
const froms = DockerfileParser.parse(read(path)).getFROMs();
const stages = stagesOf(instructions);
const final = stages.at(-1) ?? [];
// Its types describe a default export that this CommonJS module does not have for an import.
const dockerignore = createRequire(import.meta.url)('@balena/dockerignore') as typeof Dockerignore.default;
const ignored = dockerignore().add(read('.dockerignore'));

function stagesOf(all: readonly Instruction[]): Instruction[][] {
  const found: Instruction[][] = [];
  for (const instruction of all) {
    if (instruction.getKeyword() === 'FROM') found.push([]);
    found.at(-1)?.push(instruction);
  }
  return found;
}

function argumentsOf(keyword: string, stage: readonly Instruction[] = final): string[] {
  return stage
    .filter((line) => line.getKeyword() === keyword)
    .map((line) => line.getArgumentsContent() ?? '');
}

/** Sources of the COPY instructions that read the build context. */
function sourcesFromContext(): string[] {
  return instructions
    .filter((line) => line.getKeyword() === 'COPY' && !(line as Copy).getFromFlag())
    .flatMap((line) => line.getArguments().slice(0, -1))
    .map((argument) => argument.getValue());
}

function stageNamed(name: string): Instruction[] {
  const index = froms.findIndex((from: From) => from.getBuildStage() === name);
  return stages[index] ?? [];
}

describe('deploy/Dockerfile', () => {
  test('starts from one exact version of Node, the one that the lock file pins', () => {
    const locked = JSON.parse(read('package-lock.json')).packages['node_modules/node'].version;
    const names = froms.map((from) => from.getBuildStage());
    const bases = froms.map((from) => from.getImage()).filter((image) => !names.includes(image));
    expect(bases).toEqual([`node:${locked}-bookworm-slim`]);
  });

  test('copies only what is in the repository and in the build context', () => {
    expect(sourcesFromContext().length).toBeGreaterThan(5);
    for (const source of sourcesFromContext()) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(ignored.ignores(source), source).toBe(false);
    }
  });

  test('sees every manifest that the lock file knows, and no test, secret or build result', () => {
    const manifests = globSync('{apps/*,packages/*,examples}/package.json', { cwd: ROOT });
    expect(manifests.filter((file) => ignored.ignores(file))).toEqual([]);
    const unwanted = [
      '.env',
      '.git/HEAD',
      '.sluice/data',
      'node_modules/pg/package.json',
      'packages/store/node_modules/x/index.js',
      'packages/pool/test/pool.test.ts',
      'packages/testing/src/index.ts',
      'apps/console/dist/index.html',
      'bench/search.ts',
      'examples/ask.ts',
      'deploy/test/compose.test.ts',
    ];
    expect(unwanted.filter((file) => !ignored.ignores(file))).toEqual([]);
  });

  test('ends as a user who is not root, with a health check and a clean stop', () => {
    expect(argumentsOf('USER')).toEqual(['node']);
    expect(argumentsOf('HEALTHCHECK')[0]).toContain('CMD ["node", "deploy/check-health.ts", "gateway"]');
    expect(argumentsOf('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(argumentsOf('ENTRYPOINT')).toEqual(['["node", "apps/cli/src/main.ts"]']);
    expect(argumentsOf('LABEL').join()).toContain('org.opencontainers.image.licenses="Apache-2.0"');
    const last = final.findLastIndex((line) => line.getKeyword() === 'COPY');
    expect(final.findIndex((line) => line.getKeyword() === 'USER')).toBeGreaterThan(last);
  });

  test('takes its modules from a stage without development dependencies and runs nothing itself', () => {
    expect(argumentsOf('RUN')).toEqual([]);
    const origins = final
      .filter((line) => line.getKeyword() === 'COPY')
      .map((line) => (line as Copy).getFromFlag()?.getValue())
      .filter((origin) => origin !== undefined);
    expect(origins).toEqual(['dependencies', 'console']);
    expect(argumentsOf('RUN', stageNamed('dependencies')).join()).toContain('--omit=dev --ignore-scripts');
  });

  test('is what the services of the compose file are built from', () => {
    for (const name of ['gateway', 'worker', 'migrate']) {
      expect(compose.services[name]?.build?.dockerfile).toBe(path);
      expect(compose.services[name]?.command).toEqual([name]);
    }
  });
});
