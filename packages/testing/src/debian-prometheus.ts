import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFreePort } from './free-port.ts';
import { outputInRoot } from './root-process.ts';
import { prepareFolder, startRootedService } from './rooted-service.ts';
import { createScratchFolder } from './scratch-folder.ts';
import type { Files, PrometheusHost, RunningService } from './service-host.ts';

const user = 'prometheus';

async function fill(data: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(data, name), content);
}

/** Prometheus and its tool from a Debian root. */
export function createDebianPrometheus(root: string): PrometheusHost {
  async function startAt(port: number, files: Files): Promise<RunningService> {
    const folder = await createScratchFolder('prometheus');
    await fill(await prepareFolder(folder), files);
    const url = `http://127.0.0.1:${port}`;
    const settings = ['config.file=/srv/prometheus.yml', 'storage.tsdb.path=/srv/data'];
    return startRootedService({
      name: 'Prometheus',
      url,
      port,
      root,
      user,
      folder,
      argv: [
        '/usr/bin/prometheus',
        ...settings.map((setting) => `--${setting}`),
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      stopSignal: 'SIGTERM',
      isReady: async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok ?? false,
    });
  }

  return {
    async promtool(args, files) {
      const folder = await createScratchFolder('promtool');
      const data = await prepareFolder(folder);
      await fill(data, files);
      const script = 'cd /srv && exec promtool "$@" 2>&1 < "$INPUT"';
      const input = files['stdin.txt'] === undefined ? '/dev/null' : 'stdin.txt';
      const argv = ['/usr/bin/env', `INPUT=${input}`, 'sh', '-c', script, 'promtool', ...args];
      return outputInRoot({ root, data, user, argv, logFile: join(folder, `${randomUUID()}.log`) });
    },
    startPrometheus: (files) => withFreePort(undefined, (port) => startAt(port, files)),
  };
}
