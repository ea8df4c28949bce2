import type { DatabaseStatsBody, RecommendationBody } from '@sluice/contract';
import { Icon } from '../shell/icon.tsx';
import { strings } from '../strings/index.ts';

const order = ['critical', 'warning', 'info'] as const;
const icons = { critical: 'bad', warning: 'bad', info: 'info' } as const;

function show(value: RecommendationBody['evidence'][string]): string {
  return typeof value === 'number' ? strings.value.format.decimal(value) : String(value);
}

function Recommendation({ recommendation }: { recommendation: RecommendationBody }) {
  const words = strings.value.system;
  const { id, severity, subject, summary, evidence, setting, command } = recommendation;
  return (
    <li class="recommendation" data-severity={severity}>
      <h3>
        <Icon name={icons[severity]} />
        <span class="badge">{words.severities[severity]}</span>
        {words.recommendation[id]}
        {subject && <code>{subject}</code>}
      </h3>
      <p lang="en">{summary}</p>
      <p class="small facts" title={words.evidence}>
        {Object.entries(evidence).map(([name, value]) => (
          <span key={name}>
            {name} = {show(value)}
          </span>
        ))}
      </p>
      {setting && (
        <p class="small">
          {words.setting}: <code>{setting}</code>
        </p>
      )}
      {command && (
        <p class="small">
          {words.command}: <code>{command}</code>
        </p>
      )}
    </li>
  );
}

export function Recommendations({ recommendations }: Pick<DatabaseStatsBody, 'recommendations'>) {
  const words = strings.value.system;
  if (recommendations.length === 0)
    return (
      <p class="empty good">
        <Icon name="good" /> {words.noRecommendations}
      </p>
    );
  const worstFirst = recommendations.toSorted(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity),
  );
  return (
    <ul class="recommendations">
      {worstFirst.map((each) => (
        <Recommendation key={`${each.id} ${each.subject}`} recommendation={each} />
      ))}
    </ul>
  );
}
