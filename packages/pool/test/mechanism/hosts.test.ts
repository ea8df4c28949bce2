import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fits, parseTarget, type TargetSession } from '../../src/hosts.ts';

const sessions: TargetSession[] = ['any', 'read-write', 'primary', 'read-only', 'standby', 'prefer-standby'];

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const hostName = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,10}(\.[a-z]{2,4})?$/).filter((name) => !name.includes('-.')),
  fc.ipV4(),
  fc.constantFrom('[::1]', '[2001:db8::7]'),
);
const port = fc.option(fc.integer({ min: 1024, max: 65_535 }), { nil: undefined });
const secret = fc.string({ minLength: 1, maxLength: 12 }).map(encodeURIComponent);
const target = fc.record({
  scheme: fc.constantFrom('postgres', 'postgresql'),
  user: fc.option(word, { nil: undefined }),
  password: fc.option(secret, { nil: undefined }),
  hosts: fc.array(fc.record({ name: hostName, port }), { minLength: 1, maxLength: 5 }),
  database: fc.option(word, { nil: undefined }),
  session: fc.option(fc.constantFrom(...sessions), { nil: undefined }),
  parameters: fc.dictionary(
    word.filter((name) => name !== 'target_session_attrs'),
    secret,
    { maxKeys: 3 },
  ),
});
type Parts = typeof target extends fc.Arbitrary<infer T> ? T : never;

const hostPart = ({ name, port: number }: Parts['hosts'][number]) =>
  number === undefined ? name : `${name}:${number}`;

function write({ scheme, user, password, hosts, database, session, parameters }: Parts, at: number): string {
  const login = user === undefined ? '' : `${user}${password === undefined ? '' : `:${password}`}@`;
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  if (session !== undefined) pairs.splice(at % (pairs.length + 1), 0, `target_session_attrs=${session}`);
  const search = pairs.length > 0 ? `?${pairs.join('&')}` : '';
  return `${scheme}://${login}${hosts.map(hostPart).join(',')}${database === undefined ? '' : `/${database}`}${search}`;
}

describe('a connection string of several hosts', () => {
  test('becomes one string for each host that has everything else in common', () => {
    fc.assert(
      fc.property(target, fc.nat(), (parts, at) => {
        const parsed = parseTarget(write(parts, at));
        expect(parsed.session).toBe(parts.session ?? 'any');
        expect(parsed.hosts).toHaveLength(parts.hosts.length);
        parsed.hosts.forEach(({ connectionString }, i) => {
          const url = new URL(connectionString);
          expect(url.host).toBe(hostPart(parts.hosts[i] as Parts['hosts'][number]));
          expect(url.protocol).toBe(`${parts.scheme}:`);
          expect(url.username).toBe(parts.user ?? '');
          const password = parts.user === undefined ? '' : decodeURIComponent(parts.password ?? '');
          expect(decodeURIComponent(url.password)).toBe(password);
          expect(url.pathname).toBe(parts.database === undefined ? '' : `/${parts.database}`);
          expect(url.searchParams.has('target_session_attrs')).toBe(false);
          for (const [name, value] of Object.entries(parts.parameters)) {
            expect(url.searchParams.get(name)).toBe(new URLSearchParams(`x=${value}`).get('x'));
          }
        });
      }),
    );
  });

  test('is the same when each of its parts is parsed again', () => {
    fc.assert(
      fc.property(target, fc.nat(), (parts, at) => {
        for (const host of parseTarget(write(parts, at)).hosts) {
          expect(parseTarget(host.connectionString)).toEqual({ hosts: [host], session: 'any' });
        }
      }),
    );
  });

  test.each([
    ['a single host', 'postgres://u:p@h:1/d', ['postgres://u:p@h:1/d']],
    [
      'no host, as for a socket',
      'postgres:///d?host=/run/postgresql',
      ['postgres:///d?host=/run/postgresql'],
    ],
    ['no database', 'postgres://a,b', ['postgres://a', 'postgres://b']],
    ['parameters and no database', 'postgres://a,b?x=1', ['postgres://a?x=1', 'postgres://b?x=1']],
    [
      'an @ and a comma in the password',
      'postgres://u:p@s,s@a,b/d',
      ['postgres://u:p@s,s@a/d', 'postgres://u:p@s,s@b/d'],
    ],
    ['an @ in a parameter', 'postgres://a,b/d?x=y@z', ['postgres://a/d?x=y@z', 'postgres://b/d?x=y@z']],
    ['what is no URL', 'host=a dbname=d', ['host=a dbname=d']],
    ['nothing', '', ['']],
  ])('may have %s', (_what, connectionString, hosts) => {
    expect(parseTarget(connectionString).hosts.map((host) => host.connectionString)).toEqual(hosts);
  });

  test.each(['master', 'readwrite', '', 'any,primary'])(
    'is refused when it asks for a session of %j',
    (wanted) => {
      expect(() => parseTarget(`postgres://a,b/d?target_session_attrs=${wanted}`)).toThrow(
        /target_session_attrs is .*: expected one of any, read-write/,
      );
    },
  );

  test('is told apart by the exact name of the parameter', () => {
    const { hosts, session } = parseTarget('postgres://a/d?my_target_session_attrs=x');
    expect([session, hosts[0]?.connectionString]).toEqual([
      'any',
      'postgres://a/d?my_target_session_attrs=x',
    ]);
  });
});

describe('a server', () => {
  const kinds = [
    { standby: false, readOnly: false },
    { standby: false, readOnly: true },
    { standby: true, readOnly: true },
  ];
  test.each([
    ['any', [true, true, true]],
    ['read-write', [true, false, false]],
    ['primary', [true, true, false]],
    ['read-only', [false, true, true]],
    ['standby', [false, false, true]],
    ['prefer-standby', [false, false, true]],
  ] as const)(
    'fits %s when it is a writable primary, a read-only one, or a standby: %j',
    (wanted, expected) => {
      expect(kinds.map((kind) => fits(wanted, kind))).toEqual(expected);
    },
  );
});
