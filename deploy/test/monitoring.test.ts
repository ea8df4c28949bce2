import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithServices, promtool } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { bytes, environmentOf, interpolate, monitoring } from './compose-file.ts';
import { alertRules, panelQueries, prometheusConfig, prometheusFiles } from './monitoring-files.ts';
import { ROOT, read } from './repository.ts';

const given = { GRAFANA_PASSWORD: 'a1b2c3d4e5f6' };

describe('deploy/monitoring.compose.yml', () => {
  test.each(Object.entries(monitoring.services))(
    'pins and bounds %s, and mounts files that exist',
    (_, service) => {
      expect(service.image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+$/u);
      expect(bytes(service.deploy.resources.limits.memory)).toBeGreaterThan(0);
      expect(service.healthcheck?.test?.[0]).toBe('CMD');
      // Compose refuses a secret from the environment in a container that is read-only (docker/compose#12031).
      if (service.secrets) expect(service.read_only).toBeUndefined();
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(join(ROOT, source)), source).toBe(true);
      }
    },
  );

  test('opens Grafana on localhost and Prometheus nowhere, and asks for a password', () => {
    expect(monitoring.services.prometheus?.ports).toBeUndefined();
    expect(monitoring.services.prometheus?.networks).toEqual(['data']);
    expect(interpolate(monitoring.services.grafana?.ports?.[0] ?? '', given)).toBe('127.0.0.1:3300:3000');
    const password = String(monitoring.services.grafana?.environment?.GF_SECURITY_ADMIN_PASSWORD);
    expect(() => interpolate(password, {})).toThrow('GRAFANA_PASSWORD: set it in .env');
  });

  test('scrapes the ports that gateway and worker listen on, with a key', () => {
    const targets = prometheusConfig.scrape_configs.map(({ dns_sd_configs, authorization }) => {
      expect(authorization.credentials_file).toBe('/run/secrets/prometheus_api_key');
      const [target] = dns_sd_configs ?? [];
      return [target?.names[0], String(target?.port)];
    });
    expect(Object.fromEntries(targets)).toEqual({
      gateway: environmentOf('gateway').PORT,
      worker: environmentOf('worker').WORKER_PORT,
    });
  });
});

describe('the alerts', () => {
  const paragraphs = [...read('docs/operations.md').matchAll(/^#### (Sluice\w+)\n\n\S/gmu)].map(
    ([, name]) => name,
  );

  test('have no paragraph in the runbook of alerts that are no more', () => {
    expect(paragraphs.sort()).toEqual(alertRules.map(({ alert }) => alert).sort());
  });

  test.each(alertRules)(
    '$alert says what it is about, how bad it is, and has a paragraph in the runbook',
    (rule) => {
      expect(rule.alert).toMatch(/^Sluice[A-Z]/);
      expect(rule.for).toMatch(/^\d+m$/);
      expect(['critical', 'warning']).toContain(rule.labels.severity);
      expect(rule.annotations.summary).toMatch(/\.$/);
      expect(rule.annotations.runbook_url).toBe(`docs/operations.md#${rule.alert.toLowerCase()}`);
      expect(paragraphs).toContain(rule.alert);
    },
  );

  test('are tested one by one, firing and quiet', () => {
    for (const { alert } of alertRules) {
      expect(prometheusFiles['alerts.test.yml']).toContain(`- name: ${alert} fires\n`);
      expect(prometheusFiles['alerts.test.yml']).toContain(`- name: ${alert} stays quiet\n`);
    }
  });
});

test('the dashboard names no data source of its own', () => {
  expect(panelQueries.length).toBeGreaterThan(60);
  const uids = [
    ...read('deploy/grafana/dashboards/sluice.json').matchAll(/"type": "prometheus",\s+"uid": "([^"]+)"/g),
  ];
  expect(new Set(uids.map(([, uid]) => uid))).toEqual(new Set([`$${'{datasource}'}`]));
});

describeWithServices('prometheus', 'promtool', () => {
  test.each([
    ['check', 'rules', 'alerts.yml'],
    ['check', 'config', '--syntax-only', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ])('%s %s %s finds nothing wrong', async (...args) => {
    expect(await promtool(args, prometheusFiles)).toContain('SUCCESS');
  });

  test('finds an alert that does not fire when it should', async () => {
    const broken = prometheusFiles['alerts.yml']?.replace(
      'sluice_worker_healthy == 0',
      'sluice_worker_healthy == 2',
    );
    const files = { ...prometheusFiles, 'alerts.yml': broken ?? '' };
    await expect(promtool(['test', 'rules', 'alerts.test.yml'], files)).rejects.toThrow('SluiceWorkerStuck');
  });
});
