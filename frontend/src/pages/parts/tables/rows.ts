// SPDX-License-Identifier: AGPL-3.0-or-later
/** The rows of a table as HTML: sorted by a click on a header, a click on a row's name chooses its well or object. */

import { make } from '../../../shared/dom';
import type { Measurement } from '../documents';
import { formatValue, humanised, unitOf } from '../format';
import type { Cell, TableRows } from './question';

export interface Sorting {
  column: string;
  descending: boolean;
}

export interface RowsOptions {
  measurements: readonly Measurement[];
  sorting: Sorting | null;
  onSort: (sorting: Sorting) => void;
  /** A row was chosen; `cells` are its values by column. */
  onRow: (cells: Record<string, Cell>) => void;
}

/** The title of a column, with its unit where the pipeline describes one. */
export function titleOf(name: string, measurements: readonly Measurement[]): string {
  const described = measurements.find((entry) => entry.name === name);
  const unit = described ? unitOf(described) : '';
  const title = described?.title ?? humanised(name);
  return unit ? `${title} (${unit})` : title;
}

/** Draw a page of rows. Rows carry their well, and objects their field and number, so that they can be marked. */
export function rowsTable(page: TableRows, options: RowsOptions): HTMLTableElement {
  const names = page.columns.map((column) => column.name);
  const chooses = page.level === 'object' && names.includes('label') ? 'label' : 'well';
  const head = make('tr', {}, ...page.columns.map((column) => headerCell(column.name, column.numeric, options)));
  const body = make('tbody', {});
  for (const row of page.rows) {
    const cells = Object.fromEntries(names.map((name, index) => [name, row[index] ?? null]));
    body.append(bodyRow(cells, page, chooses, options));
  }
  return make('table', { class: 'oh-table' }, make('thead', {}, head), body);
}

function headerCell(name: string, numeric: boolean, options: RowsOptions): HTMLElement {
  const { sorting } = options;
  const here = sorting?.column === name;
  const button = make('button', { type: 'button', class: 'oh-sort', 'data-column': name }, titleOf(name, options.measurements));
  button.addEventListener('click', () => options.onSort({ column: name, descending: here && !sorting.descending }));
  const order = here ? (sorting.descending ? 'descending' : 'ascending') : null;
  const help = options.measurements.find((entry) => entry.name === name)?.help;
  return make('th', { scope: 'col', class: numeric ? 'oh-figure' : null, 'aria-sort': order, title: help }, button);
}

function bodyRow(cells: Record<string, Cell>, page: TableRows, chooses: string, options: RowsOptions): HTMLElement {
  const line = make('tr', { 'data-well': cells.well, 'data-field': cells.field, 'data-label': cells.label });
  for (const column of page.columns) {
    const text = formatValue(cells[column.name]);
    if (column.name !== chooses) {
      line.append(make('td', { class: column.numeric ? 'oh-figure' : null }, text));
      continue;
    }
    const spoken = chooses === 'label' ? `Object ${text}, field ${cells.field ?? '?'} of ${cells.well ?? '?'}` : null;
    const button = make('button', { type: 'button', class: 'oh-link', 'aria-label': spoken }, text);
    button.addEventListener('click', () => options.onRow(cells));
    line.append(make('th', { scope: 'row', class: column.numeric ? 'oh-figure' : null }, button));
  }
  return line;
}
