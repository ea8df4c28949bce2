import { parse } from 'yaml';
import { read } from './repository.ts';

export interface AlertRule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
}

export interface PanelQuery {
  panel: string;
  expr: string;
}

interface ScrapeConfig {
  job_name: string;
  authorization: { credentials_file: string };
  dns_sd_configs?: { names: string[]; port: number }[];
  static_configs?: { targets: string[] }[];
}

export const prometheusFiles = Object.fromEntries(
  ['prometheus.yml', 'alerts.yml', 'alerts.test.yml'].map((name) => [
    name,
    read(`deploy/prometheus/${name}`),
  ]),
);

export const prometheusConfig = parse(prometheusFiles['prometheus.yml'] ?? '') as {
  global: Record<string, string>;
  scrape_configs: ScrapeConfig[];
};

export const alertRules: AlertRule[] = parse(prometheusFiles['alerts.yml'] ?? '').groups.flatMap(
  ({ rules }: { rules: AlertRule[] }) => rules,
);

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const dashboard = JSON.parse(read('deploy/grafana/dashboards/sluice.json')) as { panels: Panel[] };

/** Of every panel, as Prometheus gets them. */
export const panelQueries: PanelQuery[] = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ panel: title, expr: expr.replaceAll('$__rate_interval', '1m') })),
);

/** What an expression selects: names with their matchers, without ranges. */
export function selectorsOf(expr: string): string[] {
  return [...expr.matchAll(/\b(?:sluice|db|http|nodejs|process|messaging|up)\w*(?:\{[^}]*\})?/g)]
    .map(([selector]) => selector)
    .filter((selector) => /^up\b|_/.test(selector) && !labels.has(selector));
}

// Labels that look like names of metrics.
const labels = new Set(['db_client_connection_pool_name', 'http_route', 'http_response_status_code']);
