import type { Express } from 'express';

interface Layer {
  name: string;
  rawPath: string | RegExp;
  handle: { stack?: Layer[] };
  route?: { path: string | string[]; stack: { method?: string }[] };
}

export interface ListedRoute {
  /** `ALL` for a handler of whatever method is left. */
  method: string;
  path: string;
}

function routesOf(stack: readonly Layer[], prefix: string): ListedRoute[] {
  return stack.flatMap(({ route, handle, rawPath }) => {
    if (route) {
      const methods = new Set(route.stack.map(({ method }) => method?.toUpperCase() ?? 'ALL'));
      const paths = [route.path].flat().map((path) => `${prefix}${path}`.replace(/(?<=.)\/$/, ''));
      return paths.flatMap((path) => [...methods].map((method) => ({ method, path })));
    }
    if (!handle.stack) return [];
    if (typeof rawPath !== 'string') throw new Error(`a router is mounted at ${rawPath}, not at a path`);
    return routesOf(handle.stack, `${prefix}${rawPath}`.replace(/\/$/, ''));
  });
}

const stackOf = (app: Express) => app.router.stack as unknown as Layer[];

/** Every route of an app, taken from its router, so that none can be forgotten. */
export function listRoutes(app: Express): ListedRoute[] {
  return routesOf(stackOf(app), '');
}

/** Names of what runs before the middleware of that name. */
export function namesBefore(app: Express, name: string): string[] {
  const names = stackOf(app).map((layer) => layer.name);
  if (!names.includes(name)) throw new Error(`there is no ${name} among ${names.join(', ')}`);
  return names.slice(0, names.indexOf(name));
}
