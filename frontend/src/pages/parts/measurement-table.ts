// SPDX-License-Identifier: AGPL-3.0-or-later
/** The table of measurements: pages from the server, sorted by a click on a header, a click on a row chooses its well. */

import { type Api, ApiError } from '../../shared/api';
import type { MeasurementPage } from '../../shared/contracts';
import type { Measurement } from './documents';
import { make } from '../../shared/dom';
import { formatValue, humanised, unitOf } from './format';

type Row = (number | string | null)[];
type Level = MeasurementPage['level'];

export interface MeasurementTableOptions {
  api: Api;
  executionId: string;
  host: HTMLElement;
  moreButton: HTMLButtonElement;
  measurements: readonly Measurement[];
  onWell: (well: string) => void;
}

export interface MeasurementTable {
  show(level: Level): Promise<void>;
  /** Read the first page again when no further ones are shown; for tables that grow while a run goes on. */
  refresh(): Promise<void>;
  mark(well: string | null): void;
  /** Every row of the level that is shown, as CSV. */
  csv(): Promise<string>;
}

const PAGE_ROWS = 200;
const DOWNLOAD_ROWS = 10_000;

export function createMeasurementTable(options: MeasurementTableOptions): MeasurementTable {
  const { api, executionId, host, moreButton } = options;
  const titles = new Map(options.measurements.map((entry) => [entry.name, entry]));
  let level: Level = 'well';
  let columns: string[] = [];
  let rows: Row[] = [];
  let pages = 0;
  let cursor: string | null = null;
  let total = 0;
  let marked: string | null = null;
  let sorting: { column: number; direction: 1 | -1 } | null = null;

  function fetchPage(from: string | null, limit: number): Promise<MeasurementPage> {
    return api.get<MeasurementPage>(`executions/${executionId}/measurements/`, { params: { level, cursor: from, limit } });
  }

  async function load(from: string | null): Promise<void> {
    const asked = level;
    const page = await fetchPage(from, PAGE_ROWS);
    if (asked !== level) return;
    columns = page.columns;
    rows = from ? [...rows, ...page.rows] : page.rows;
    pages = from ? pages + 1 : 1;
    cursor = page.next_cursor;
    total = page.total_rows;
    draw();
  }

  function draw(): void {
    moreButton.hidden = cursor === null;
    moreButton.textContent = `Show more rows (${rows.length} of ${total})`;
    if (rows.length === 0) {
      host.replaceChildren(make('p', { class: 'oh-hint oh-empty' }, 'Measurements appear when the first well is done.'));
      return;
    }
    const figures = columns.map((_, index) => rows.every((row) => typeof row[index] !== 'string'));
    const head = make('tr', {}, ...columns.map((name, index) => headerCell(name, index, figures[index] ?? false)));
    const wellColumn = columns.indexOf('well');
    const body = make('tbody', {});
    for (const row of sorted()) body.append(bodyRow(row, figures, wellColumn));
    host.replaceChildren(make('table', { class: 'oh-table' }, make('thead', {}, head), body));
    mark(marked);
  }

  function headerCell(name: string, index: number, figure: boolean): HTMLElement {
    const described = titles.get(name);
    const title = described?.title ?? humanised(name);
    const unit = described ? unitOf(described) : '';
    const button = make('button', { type: 'button', class: 'oh-sort' }, unit ? `${title} (${unit})` : title);
    button.addEventListener('click', () => {
      sorting = { column: index, direction: sorting?.column === index && sorting.direction === 1 ? -1 : 1 };
      draw();
      host.querySelectorAll<HTMLButtonElement>('.oh-sort')[index]?.focus();
    });
    const order = sorting?.column === index ? (sorting.direction === 1 ? 'ascending' : 'descending') : null;
    return make('th', { scope: 'col', class: figure ? 'oh-figure' : null, 'aria-sort': order, title: described?.help }, button);
  }

  function bodyRow(row: Row, figures: boolean[], wellColumn: number): HTMLElement {
    const line = make('tr', {});
    row.forEach((value, index) => {
      const text = formatValue(value);
      if (index !== wellColumn) {
        line.append(make('td', { class: figures[index] ? 'oh-figure' : null }, text));
        return;
      }
      const button = make('button', { type: 'button', class: 'oh-link' }, text);
      button.addEventListener('click', () => options.onWell(String(value)));
      line.dataset.well = String(value);
      line.append(make('th', { scope: 'row' }, button));
    });
    return line;
  }

  function sorted(): Row[] {
    const by = sorting;
    if (!by) return rows;
    return [...rows].sort((one, other) => compareCells(one[by.column], other[by.column], by.direction));
  }

  function mark(well: string | null): void {
    marked = well;
    for (const line of host.querySelectorAll<HTMLElement>('tr[data-well]')) {
      line.classList.toggle('oh-marked', line.dataset.well === well);
    }
  }

  function guarded(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      const text = error instanceof ApiError ? error.message : String(error);
      host.replaceChildren(make('p', { class: 'oh-notice oh-notice-error', role: 'alert' }, text));
    });
  }

  moreButton.addEventListener('click', () => void guarded(load(cursor)));
  return {
    show(wanted) {
      level = wanted;
      sorting = null;
      return guarded(load(null));
    },
    async refresh() {
      if (pages <= 1) await guarded(load(null));
    },
    mark,
    async csv() {
      const lines = [columns];
      let from: string | null = null;
      do {
        const page: MeasurementPage = await fetchPage(from, DOWNLOAD_ROWS);
        if (from === null) lines[0] = page.columns;
        lines.push(...page.rows.map((row) => row.map(csvCell)));
        from = page.next_cursor;
      } while (from !== null);
      return lines.map((line) => line.join(',')).join('\r\n');
    },
  };
}

/** Missing values come last, whatever the direction. */
export function compareCells(one: Row[number] | undefined, other: Row[number] | undefined, direction: 1 | -1): number {
  if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
  if (other === null || other === undefined) return -1;
  if (typeof one === 'number' && typeof other === 'number') return direction * (one - other);
  return direction * String(one).localeCompare(String(other), 'en', { numeric: true });
}

/** A cell of a CSV file. Text that a spreadsheet would take for a formula gets an apostrophe. */
export function csvCell(value: number | string | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
