// SPDX-License-Identifier: AGPL-3.0-or-later
/** Filters as chips that can be taken away, and a line to add one. */

import { make, showNotice } from '../../../shared/dom';
import { formatValue } from '../format';
import { filterFrom, type Operator, OPERATORS, operatorsFor, takesValue, type TableColumn, type TableFilter } from './question';

export interface FilterBar {
  readonly filters: readonly TableFilter[];
  /** Offer these columns. A filter of a column that is not there any more is taken away. */
  offer(columns: readonly TableColumn[]): void;
  clear(): void;
}

export interface FilterBarOptions {
  host: HTMLElement;
  titleOf: (column: string) => string;
  onChange: () => void;
}

export function createFilterBar({ host, titleOf, onChange }: FilterBarOptions): FilterBar {
  let filters: TableFilter[] = [];
  let columns: readonly TableColumn[] = [];
  const column = make('select', { class: 'oh-input', 'aria-label': 'Column to filter by' });
  const operator = make('select', { class: 'oh-input', 'aria-label': 'Condition' });
  const value = make('input', { class: 'oh-input oh-filter-value', 'aria-label': 'Value', autocomplete: 'off' });
  const problem = make('span', { class: 'oh-field-error', role: 'alert', hidden: true });
  const form = make(
    'form',
    { class: 'oh-inline oh-table-filter' },
    make('span', { class: 'oh-sub' }, 'Only rows where'),
    column,
    operator,
    value,
    make('button', { type: 'submit', class: 'oh-button oh-button-small' }, 'Filter'),
    problem,
  );
  const chips = make('ul', { class: 'oh-chips', 'aria-label': 'Filters' });
  host.replaceChildren(form, chips);

  const chosen = () => columns.find((entry) => entry.name === column.value);

  function offerOperators(): void {
    const before = operator.value;
    const possible = operatorsFor(chosen()?.numeric ?? true);
    operator.replaceChildren(...possible.map((name) => make('option', { value: name }, OPERATORS[name])));
    if (possible.includes(before as Operator)) operator.value = before;
    showValue();
  }

  function showValue(): void {
    value.hidden = !takesValue(operator.value as Operator);
    value.inputMode = chosen()?.numeric ? 'decimal' : 'text';
  }

  function draw(): void {
    chips.hidden = filters.length === 0;
    chips.replaceChildren(
      ...filters.map((filter, index) => {
        const said = takesValue(filter.operator) ? ` ${formatValue(filter.value)}` : '';
        const text = `${titleOf(filter.column)} ${OPERATORS[filter.operator]}${said}`;
        const remove = make('button', { type: 'button', class: 'oh-chip-remove', 'aria-label': `Remove filter: ${text}` }, '×');
        remove.addEventListener('click', () => {
          filters = filters.filter((_, place) => place !== index);
          draw();
          column.focus();
          onChange();
        });
        return make('li', { class: 'oh-chip' }, text, remove);
      }),
    );
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const about = chosen();
    if (!about) return;
    const made = filterFrom(about, operator.value as Operator, value.value);
    showNotice(problem, typeof made === 'string' ? made : '');
    if (typeof made === 'string') {
      value.focus();
      return;
    }
    filters = [...filters, made];
    value.value = '';
    draw();
    onChange();
  });
  column.addEventListener('change', offerOperators);
  operator.addEventListener('change', showValue);
  draw();

  return {
    get filters() {
      return filters;
    },
    offer(next) {
      const same = next.length === columns.length && next.every((entry, index) => entry.name === columns[index]?.name);
      if (same) return;
      const before = column.value;
      columns = next;
      column.replaceChildren(...next.map((entry) => make('option', { value: entry.name }, titleOf(entry.name))));
      if (next.some((entry) => entry.name === before)) column.value = before;
      offerOperators();
    },
    clear() {
      filters = [];
      showNotice(problem, '');
      draw();
    },
  };
}
