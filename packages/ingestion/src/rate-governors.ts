import {
  createFleetRateGovernor,
  createRateGovernor,
  type FleetRateChange,
  type RateGovernor,
  type RedisScripts,
  rateLimitName,
} from '@sluice/embeddings';

export interface RateGovernorsOptions {
  requestsPerMinute: number | undefined;
  tokensPerMinute: number | undefined;
  /** With it the limits are for all processes together, without it for this one. */
  redis?: RedisScripts | undefined;
  /** Called when the limits are no longer shared, or are again. Must not throw. */
  onRateChange?(change: FleetRateChange): void;
}

interface LimitedModel {
  baseUrl: string | undefined;
  model: string;
  apiKey: string;
}

/** One governor for whatever a provider limits as one: collections of a model share it, also with vectors of different lengths. */
export function createRateGovernors(options: RateGovernorsOptions): (limited: LimitedModel) => RateGovernor {
  const { requestsPerMinute, tokensPerMinute, redis, onRateChange } = options;
  const limits = { requestsPerMinute, tokensPerMinute };
  const governors = new Map<string, RateGovernor>();
  return (limited) => {
    const name = rateLimitName(limited);
    const known = governors.get(name);
    if (known) return known;
    const governor = redis
      ? createFleetRateGovernor({ ...limits, redis, name, ...(onRateChange && { onChange: onRateChange }) })
      : createRateGovernor(limits);
    governors.set(name, governor);
    return governor;
  };
}
