import type { QueryBody } from '@sluice/contract';
import type { Question } from '../api/client.ts';
import type { CollectionChoice } from '../collection-choice.ts';
import { linkTo } from '../route.ts';
import type { SearchModel } from './search-model.ts';

const modes: readonly QueryBody['mode'][] = ['hybrid', 'vector', 'text'];

/** The address of a search: whoever opens it asks the same. */
export function addressOf({ query, mode, collection, filter }: Question): string {
  const parameters = new URLSearchParams({ q: query, mode, collection });
  if (filter) parameters.set('filter', JSON.stringify(filter));
  return `${linkTo('search')}?${parameters}`;
}

/** Fills in the form from an address; true when it asks something. */
export function readAddress(hash: string, model: SearchModel, choice: CollectionChoice): boolean {
  const [path, parameters = ''] = hash.split('?', 2);
  if (path !== linkTo('search')) return false;
  const asked = new URLSearchParams(parameters);
  const query = asked.get('q');
  if (!query) return false;
  model.query.value = query;
  model.mode.value = modes.find((mode) => mode === asked.get('mode')) ?? model.mode.value;
  choice.chosen.value = asked.get('collection') ?? choice.chosen.value;
  const filter = asked.get('filter');
  if (filter) {
    model.filter.write('json');
    model.filter.json.value = filter;
  }
  return model.filter.fault.value === null;
}
