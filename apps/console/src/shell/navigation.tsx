import type { ReadonlySignal } from '@preact/signals';
import { linkTo, type View, views } from '../route.ts';
import { strings } from '../strings/index.ts';
import { Icon } from './icon.tsx';

export function Navigation({ view }: { view: ReadonlySignal<View> }) {
  const words = strings.value.shell;
  return (
    <nav class="views" aria-label={words.views}>
      {views.map((each) => (
        <a key={each} href={linkTo(each)} aria-current={view.value === each ? 'page' : undefined}>
          <Icon name={each} />
          {words[each]}
        </a>
      ))}
    </nav>
  );
}
