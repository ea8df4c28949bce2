const probes = /^\/(healthz|readyz|metrics|monitoring|assets)(\/|$)/;

/** What machines, and pages that are left open, ask for all the time: told of quietly. */
export const isProbe = (path: string): boolean => probes.test(path);
