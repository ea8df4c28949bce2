import { variables } from '@sluice/config';
import { describe, expect, test } from 'vitest';
import { configurationFiles } from '../../scripts/write-configuration.ts';
import { composeVariables } from '../compose-variables.ts';
import { read } from './repository.ts';

describe('the files that are written from the table of variables', () => {
  test.each(Object.entries(configurationFiles))(
    '%s is up to date (node scripts/write-configuration.ts)',
    (path, write) => {
      expect(read(path)).toBe(write());
    },
  );

  test('.env.example has every variable once, commented out, with its default', () => {
    const lines = [...read('.env.example').matchAll(/^# ([A-Z][A-Z_]*)=(.*)$/gmu)];
    const listed = lines.map(([, name, value]) => [name, value]);
    const known = Object.entries({ ...variables, ...composeVariables });
    expect(listed).toEqual(known.map(([name, entry]) => [name, entry.default ?? '']));
    expect(read('.env.example')).not.toMatch(/^[^#\n]/mu);
  });
});
