import type { ComponentChildren } from 'preact';
import { strings } from '../strings/index.ts';

export interface Column<T> {
  title: string;
  /** Figures are set to the right. */
  figure?: boolean;
  cell(row: T): ComponentChildren;
}

export interface TableProps<T> {
  /** Names the table for those who do not see its heading. */
  label: string;
  rows: readonly T[];
  keyOf(row: T): string;
  columns: readonly Column<T>[];
}

/** Rows of figures; on a narrow page it scrolls within itself. */
export function Table<T>({ label, rows, keyOf, columns }: TableProps<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section class="table" tabIndex={0} aria-label={strings.value.system.table(label)}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, figure }) => (
              <th key={title} scope="col" class={figure ? 'figure' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, figure, cell }, index) =>
                index === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} class={figure ? 'figure' : ''}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
