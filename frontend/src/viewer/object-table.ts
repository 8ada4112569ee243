// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The table of a field's objects below the images. Only the rows in sight are in the page, so 20,000 objects cost no more than
 * twenty. A row is chosen by a click or with the arrow keys.
 */

import { make } from '../shared/dom';
import { formatValue, humanised } from '../pages/parts/format';
import type { Cell, ObjectTable } from './objects';

/** Height of a row in CSS pixels, as in `viewer.css`. */
export const ROW_HEIGHT = 25;
/** Rows beyond the edges of what is seen, so that scrolling shows no gaps. */
const MARGIN_ROWS = 8;

export interface ObjectTableView {
  readonly element: HTMLElement;
  show(table: ObjectTable | null, kind: string): void;
  say(text: string): void;
  /** Mark an object's row and bring it into sight. */
  select(id: number | null): void;
}

export function createObjectTable(onChoose: (id: number) => void): ObjectTableView {
  const title = make('h2', {});
  const note = make('p', { class: 'oh-viewer-hint', role: 'status' });
  const head = make('tr', {});
  const body = make('tbody', {});
  const grid = make('table', {}, make('thead', {}, head), body);
  const scroller = make('div', { class: 'oh-viewer-rows', tabindex: 0, role: 'region', 'aria-label': 'Objects' }, grid);
  const element = make('section', { class: 'oh-viewer-objects', hidden: true }, title, note, scroller);

  let table: ObjectTable | null = null;
  /** Rows of the table in the order on the screen. */
  let order: number[] = [];
  let sorting: { column: number; direction: 1 | -1 } = { column: -1, direction: 1 };
  let selected: number | null = null;
  let drawn = '';

  function sort(): void {
    const { column, direction } = sorting;
    order = table ? sortedRows(table, column, direction) : [];
  }

  function drawHead(): void {
    const names = ['Object', ...(table?.columns ?? []).map(humanised)];
    head.replaceChildren(
      ...names.map((name, index) => {
        const button = make('button', { type: 'button' }, name);
        const column = index - 1;
        button.addEventListener('click', () => {
          const again = sorting.column === column && sorting.direction === 1;
          sorting = { column, direction: again ? -1 : 1 };
          sort();
          drawHead();
          drawRows(true);
          head.querySelectorAll('button')[index]?.focus();
        });
        const order = sorting.column === column ? (sorting.direction === 1 ? 'ascending' : 'descending') : null;
        return make('th', { scope: 'col', 'aria-sort': order }, button);
      }),
    );
  }

  function drawRows(anew = false): void {
    const height = scroller.clientHeight || 10 * ROW_HEIGHT;
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_HEIGHT) - MARGIN_ROWS);
    const last = Math.min(order.length, Math.ceil((scroller.scrollTop + height) / ROW_HEIGHT) + MARGIN_ROWS);
    const wanted = `${first}-${last}-${selected}`;
    if (!anew && wanted === drawn) return;
    drawn = wanted;
    const gap = (rows: number) => {
      const line = make('tr', { 'aria-hidden': 'true' });
      line.style.height = `${rows * ROW_HEIGHT}px`;
      return line;
    };
    body.replaceChildren(gap(first), ...order.slice(first, last).map(rowElement), gap(order.length - last));
  }

  function rowElement(row: number, offset: number): HTMLElement {
    const id = table?.ids[row] ?? 0;
    const line = make('tr', { 'data-object': id, 'aria-selected': String(id === selected), 'data-offset': offset });
    line.append(make('th', { scope: 'row' }, String(id)), ...(table?.rows[row] ?? []).map(cellElement));
    return line;
  }

  function cellElement(value: Cell): HTMLElement {
    return make('td', {}, formatValue(value));
  }

  function bringIntoSight(): void {
    const place = selected === null ? -1 : order.indexOf(table?.rowOf.get(selected) ?? -1);
    if (place < 0) return;
    const top = place * ROW_HEIGHT;
    // The head covers the first row's height.
    const seen = scroller.clientHeight - ROW_HEIGHT;
    if (top < scroller.scrollTop || top + ROW_HEIGHT > scroller.scrollTop + seen) {
      scroller.scrollTop = Math.max(0, top - seen / 2);
    }
  }

  function step(by: number): void {
    const place = selected === null ? -1 : order.indexOf(table?.rowOf.get(selected) ?? -1);
    const row = order[Math.max(0, Math.min(order.length - 1, place + by))];
    const id = row === undefined ? undefined : table?.ids[row];
    if (id !== undefined) onChoose(id);
  }

  scroller.addEventListener('scroll', () => drawRows());
  body.addEventListener('click', (event) => {
    const line = (event.target as HTMLElement).closest<HTMLElement>('[data-object]');
    if (line) onChoose(Number(line.dataset.object));
  });
  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
  scroller.addEventListener('keydown', (event) => {
    const by = steps[event.key];
    if (by === undefined || event.target !== scroller) return;
    step(by);
    event.preventDefault();
  });

  return {
    element,
    show(next, kind) {
      table = next;
      sorting = { column: -1, direction: 1 };
      element.hidden = false;
      scroller.hidden = next === null;
      title.textContent = next ? `${humanised(kind)}: ${next.ids.length.toLocaleString('en')} objects of this field` : '';
      note.textContent = next ? '' : `No measurements of ${kind} are kept for this field.`;
      sort();
      drawHead();
      scroller.scrollTop = 0;
      drawRows(true);
      bringIntoSight();
    },
    say(text) {
      element.hidden = text === '';
      note.textContent = text;
    },
    select(id) {
      selected = id;
      bringIntoSight();
      drawRows(true);
    },
  };
}

/** Rows by a column (-1: the object's number); missing values come last, whatever the direction. */
export function sortedRows(table: ObjectTable, column: number, direction: 1 | -1): number[] {
  const value = (row: number): Cell => (column < 0 ? (table.ids[row] ?? null) : (table.rows[row]?.[column] ?? null));
  return table.ids
    .map((_, row) => row)
    .sort((one, other) => {
      const [first, second] = [value(one), value(other)];
      if (first === null || second === null) return Number(first === null) - Number(second === null);
      if (typeof first === 'number' && typeof second === 'number') return direction * (first - second);
      return direction * String(first).localeCompare(String(second), 'en', { numeric: true });
    });
}
