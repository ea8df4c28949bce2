/** Which server of several is wanted, as libpq's `target_session_attrs` names them. */
export type TargetSession = 'any' | 'read-write' | 'primary' | 'read-only' | 'standby' | 'prefer-standby';

export interface Host {
  /** A connection string of this host alone. */
  connectionString: string;
  /** Host and port as they were given: nothing secret. */
  name: string;
}
export interface Target {
  hosts: readonly Host[];
  session: TargetSession;
}

const targets: readonly string[] = ['any', 'read-write', 'primary', 'read-only', 'standby', 'prefer-standby'];

/**
 * Splits `postgres://user:password@host1:port1,host2:port2/database?target_session_attrs=read-write` into its hosts,
 * which `pg` does not do. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function parseTarget(connectionString: string): Target {
  const parts = /^([a-z]+:\/\/)(?:([^/?]*)@)?([^/?@]*)(\/[^?]*)?(?:\?(.*))?$/i.exec(connectionString);
  if (!parts) return { hosts: [{ connectionString, name: 'the database' }], session: 'any' };
  const [, scheme = '', user, hosts = '', path = '', search = ''] = parts;
  const parameters = search.split('&').filter((pair) => pair && !pair.startsWith('target_session_attrs='));
  const session = /(?:^|&)target_session_attrs=([^&]*)/.exec(search)?.[1] ?? 'any';
  if (!targets.includes(session)) {
    throw new RangeError(`target_session_attrs is ${session}: expected one of ${targets.join(', ')}`);
  }
  const rest = path + (parameters.length > 0 ? `?${parameters.join('&')}` : '');
  return {
    hosts: hosts.split(',').map((host) => ({
      connectionString: `${scheme}${user === undefined ? '' : `${user}@`}${host}${rest}`,
      name: host || 'the local socket',
    })),
    session: session as TargetSession,
  };
}

export interface SessionKind {
  standby: boolean;
  readOnly: boolean;
}

/** Whether a server is what was asked for. `prefer-standby` takes any in its second round. */
export function fits(wanted: TargetSession, { standby, readOnly }: SessionKind): boolean {
  switch (wanted) {
    case 'any':
      return true;
    case 'read-write':
      return !readOnly && !standby;
    case 'primary':
      return !standby;
    case 'read-only':
      return readOnly || standby;
    case 'standby':
    case 'prefer-standby':
      return standby;
  }
}
