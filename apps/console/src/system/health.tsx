import type { Readiness } from '@sluice/contract';
import { Icon } from '../shell/icon.tsx';
import { strings } from '../strings/index.ts';

/** Each thing that the gateway needs, and how fast it answers. */
export function Health({ readiness }: { readiness: Readiness }) {
  const { system: words, format } = strings.value;
  return (
    <div class="health" data-ready={readiness.ready}>
      <p class="health-state">
        <Icon name={readiness.ready ? 'good' : 'bad'} /> {readiness.ready ? words.ready : words.notReady}
      </p>
      <ul class="checks">
        {Object.entries(readiness.checks).map(([name, { ok, latency_ms: latency, detail }]) => (
          <li key={name} data-ok={ok}>
            <Icon name={ok ? 'good' : 'bad'} />
            <b>{name}</b>
            <span class="visually-hidden">{ok ? words.check.ok : words.check.bad}</span>
            <span class="small">{format.duration(latency)}</span>
            {detail && <span class="small detail">{detail}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
