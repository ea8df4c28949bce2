import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesSession, createSessionStateDetector } from '../../src/session-state.ts';

/** Each leaves something in its session. */
const changing = [
  'set work_mem = 12345',
  "set session work_mem to '1MB'",
  'set role somebody',
  'set session authorization somebody',
  'set session characteristics as transaction read only',
  "set time zone 'UTC'",
  'set names latin1',
  'set"work_mem" = 12345',
  'reset all',
  'reset role',
  'listen channel',
  'unlisten *',
  'prepare p as select 1',
  'prepare p (int) as select $1',
  'deallocate all',
  'discard all',
  'discard temp',
  "load 'auto_explain'",
  'do $$ begin perform 1; end $$',
  'call procedure()',
  "select set_config('work_mem', '1MB', false)",
  "select pg_catalog.set_config('a.b', $1, $2)",
  "select set_config('a.b', 'x', true), set_config('a.b', 'x', false)",
  "select set_config('a.b', 'x, true)', false)",
  "update pg_settings set setting = '1MB' where name = 'work_mem'",
  "update pg_catalog.pg_settings s set setting = '1MB' where s.name = 'work_mem'",
  'select pg_advisory_lock(1)',
  'select pg_advisory_lock_shared(1, 2)',
  'select pg_try_advisory_lock (1)',
  'select pg_try_advisory_lock_shared(1)',
  'create temp table t (a int)',
  'create local temporary table t (a int)',
  'create temp sequence s',
  'create or replace temp view v as select 1',
  'create temp recursive view v (a) as select 1',
  'create table pg_temp.t (a int)',
  'create temp table t as select 1',
  'select 1 as a into temp t',
  'select 1 as a into temporary table t',
  'select a into local temp t from b',
  'declare c cursor with hold for select 1',
  'declare c scroll cursor with hold for select 1',
  "select dblink_connect('host=x')",
  'select setseed(0.5)',
];

/** None of these leaves anything behind that outlives its transaction. */
const harmless = [
  'select 1',
  'insert into settings (name) values ($1)',
  'update t set a = 1',
  'insert into t values (1) on conflict do nothing',
  'insert into t values (1) on conflict (a) do update set a = 2',
  'delete from t where reset is null',
  "set local work_mem = '1MB'",
  'set transaction isolation level serializable',
  'set constraints all deferred',
  "select set_config('work_mem', '1MB', true)",
  'select pg_advisory_xact_lock(1)',
  'select pg_try_advisory_xact_lock_shared(1)',
  'declare c cursor for select 1',
  'begin',
  'commit',
  "prepare transaction 'x'",
  'select * from temperature',
  'create table templates (a int)',
  'select offset_ from t offset 3',
  'copy t from stdin (format binary)',
  'notify channel',
  'lock table t',
];

const space = fc
  .array(fc.constantFrom(' ', '\n', '\t', '\r\n', '  '), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(''));
const comment = fc.constantFrom(
  '-- a remark\n',
  "-- it's\n",
  '/* a remark */',
  "/* it's; */",
  '/* a /* nested */ remark */',
  '/**/',
  '/* -- */',
);
const gap = fc.tuple(space, fc.option(comment, { nil: '' }), space).map((parts) => parts.join(''));
const before = fc.constantFrom(
  '',
  'begin;',
  'select 1;',
  "select '--';",
  "select '/*';",
  "select 'it''s -- not over';",
  "select e'it\\'s -- not over';",
  'select "--" from t;',
  'select $$ -- $$;',
  'select $tag$ /* $tag$;',
  'select 1; -- a remark\n',
  'set local a.b = 1;',
);
const after = fc.constantFrom(
  '',
  ';',
  '; select 1',
  '; commit',
  ' -- done',
  " /* it's over",
  "; select '*/'",
);

/** The same statement, written otherwise. */
const rewritten = (statements: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...statements), before, gap, gap, fc.boolean(), after)
    .map(([statement, head, lead, between, upper, tail]) => {
      // Only outside of strings is a blank free to be more than that.
      const spaced = /['$"]/.test(statement) ? statement : statement.replaceAll(' ', between);
      return `${head}${lead}${upper ? spaced.toUpperCase() : spaced}${tail}`;
    });

describe('statements that change their session', () => {
  test.each(changing)('%s', (text) => {
    expect(changesSession(text)).toBe(true);
  });

  test('are recognised however they are written', () => {
    fc.assert(
      fc.property(rewritten(changing), (text) => {
        expect(changesSession(text)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test('are recognised by the detector that remembers, before and after it forgets', () => {
    const detect = createSessionStateDetector(3);
    for (let round = 0; round < 3; round += 1) {
      for (const text of changing) expect([text, detect(text), detect(text)]).toEqual([text, true, true]);
      for (const text of harmless) expect([text, detect(text), detect(text)]).toEqual([text, false, false]);
    }
  });
});

describe('statements that leave their session as it was', () => {
  test.each(harmless)('%s', (text) => {
    expect(changesSession(text)).toBe(false);
  });

  test('are told from the others also when a comment or a string speaks of them', () => {
    for (const text of [
      '/* set work_mem = 1 */ select 1',
      '-- listen to this\nselect 1',
      "insert into t values ('set a = 1')",
      "select 'create temperature tables'",
    ]) {
      expect([text, changesSession(text)]).toEqual([text, false]);
    }
  });
});

describe('looking at a statement', () => {
  test.each([
    ['comments that are never closed', '/* '.repeat(20_000)],
    ['comments within comments', `/*${'/* */'.repeat(10_000)}`],
    ['quotes', "'".repeat(20_001)],
    ['dollars', '$a'.repeat(20_000)],
    ['blanks', `select${' '.repeat(50_000)}1`],
    ['statements', 'select 1;'.repeat(10_000)],
    ['set_config', "set_config('a',".repeat(5_000)],
    ['into', 'insert into '.repeat(5_000)],
  ])('takes no longer for many %s', (_what, text) => {
    const start = performance.now();
    changesSession(text);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
