export interface SegmentsProps<T extends string> {
  /** Of the group of radio buttons; its own on the page */
  name: string;
  legend: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChoose(value: T): void;
}

/** One of a few, side by side. */
export function Segments<T extends string>({ name, legend, value, choices, onChoose }: SegmentsProps<T>) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{legend}</legend>
      {choices.map(([each, label]) => (
        <label key={each}>
          <input
            type="radio"
            class="visually-hidden"
            name={name}
            value={each}
            checked={each === value}
            onChange={() => onChoose(each)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
