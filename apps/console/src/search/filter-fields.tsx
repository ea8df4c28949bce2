import { Icon } from '../shell/icon.tsx';
import { Segments } from '../shell/segments.tsx';
import { strings } from '../strings/index.ts';
import { type Condition, hasValue, type Operator, operators } from './filter.ts';
import type { FilterForm } from './filter-form.ts';

interface RowProps {
  condition: Condition;
  index: number;
  filter: FilterForm;
}

function ConditionRow({ condition, index, filter }: RowProps) {
  const words = strings.value.search.filter;
  const { key, field, operator, value } = condition;
  return (
    <li class="condition">
      <input
        aria-label={`${words.field} ${index}`}
        placeholder={words.field}
        list="known-fields"
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        value={field}
        onInput={(event) => filter.change(key, { field: event.currentTarget.value })}
      />
      <select
        aria-label={`${words.operator} ${index}`}
        value={operator}
        onChange={(event) => filter.change(key, { operator: event.currentTarget.value as Operator })}
      >
        {operators.map((each) => (
          <option key={each} value={each}>
            {words.operators[each]}
          </option>
        ))}
      </select>
      {hasValue(operator) && (
        <input
          aria-label={`${words.value} ${index}`}
          placeholder={operator === 'in' ? words.values : words.value}
          autocapitalize="none"
          autocomplete="off"
          value={value}
          onInput={(event) => filter.change(key, { value: event.currentTarget.value })}
        />
      )}
      <button
        type="button"
        class="small-button"
        aria-label={words.removeOf(index)}
        onClick={() => filter.remove(key)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

function Rows({ filter }: { filter: FilterForm }) {
  const words = strings.value.search.filter;
  return (
    <>
      <ul class="conditions">
        {filter.conditions.value.map((condition, index) => (
          <ConditionRow key={condition.key} condition={condition} index={index + 1} filter={filter} />
        ))}
      </ul>
      <button type="button" class="small-button" onClick={filter.add}>
        <Icon name="add" /> {words.add}
      </button>
      <p class="small">{words.hint}</p>
    </>
  );
}

function Json({ filter }: { filter: FilterForm }) {
  const words = strings.value.search.filter;
  const fault = filter.fault.value;
  return (
    <>
      <textarea
        aria-label={words.jsonLabel}
        aria-describedby="filter-hint"
        aria-invalid={fault !== null}
        class="code"
        rows={5}
        spellcheck={false}
        value={filter.json.value}
        onInput={(event) => {
          filter.json.value = event.currentTarget.value;
        }}
      />
      <p id="filter-hint" class="small">
        {words.jsonHint}
      </p>
      {fault && (
        <p class="error" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}

export interface FilterFieldsProps {
  filter: FilterForm;
  /** Fields of metadata that documents are known to have, to choose from */
  known: readonly string[];
}

/** Which documents a search looks at, by their metadata. */
export function FilterFields({ filter, known }: FilterFieldsProps) {
  const words = strings.value.search.filter;
  return (
    <details class="options">
      <summary>
        {words.title}
        {filter.active.value > 0 && <span class="badge">{words.active(filter.active.value)}</span>}
      </summary>
      <div class="options-body">
        <Segments
          name="filter-form"
          legend={words.form}
          value={filter.form.value}
          choices={[
            ['rows', words.rows],
            ['json', words.json],
          ]}
          onChoose={filter.write}
        />
        <datalist id="known-fields">
          {known.map((field) => (
            <option key={field} value={field} />
          ))}
        </datalist>
        {filter.form.value === 'rows' ? <Rows filter={filter} /> : <Json filter={filter} />}
      </div>
    </details>
  );
}
