import { type ReadonlySignal, signal } from '@preact/signals';

export const views = ['documents', 'search', 'system'] as const;
export type View = (typeof views)[number];

export const linkTo = (view: View) => `#/${view}`;

function viewOf(hash: string): View {
  const name = hash.replace(/^#\/?/, '').split(/[?/]/)[0];
  return views.find((view) => view === name) ?? 'documents';
}

/** The view that the address names; links change it. */
export function createRoute(): ReadonlySignal<View> {
  const view = signal(viewOf(location.hash));
  window.addEventListener('hashchange', () => {
    if (location.hash === '' || location.hash.startsWith('#/')) view.value = viewOf(location.hash);
    // The link past the navigation has gone where it leads by now; the address is to name the view again.
    else history.replaceState(null, '', linkTo(view.value));
  });
  return view;
}
