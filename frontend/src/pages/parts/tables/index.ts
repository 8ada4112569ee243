// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The tables of an execution: rows, filters, a histogram and a scatter plot that share what is chosen.
 *
 * The server filters, sorts and counts; the page holds one page of rows and, of very many points, a sample. A rectangle drawn
 * in the scatter plot is two more filters on each axis: its rows are shown, and their wells stand out on the plate.
 */

import { type Api, ApiError, type QueryValue } from '../../../shared/api';
import { byId, make } from '../../../shared/dom';
import { announceObject, onObjectSelected } from '../../../shared/object-selection';
import type { Measurement } from '../documents';
import { count } from '../format';
import { type Chart, drawHistogram, drawScatter, histogramInWords, pointsInWords } from './charts';
import { createFilterBar } from './filter-bar';
import {
  type Cell,
  type ColumnHistogram,
  drawable,
  filterParams,
  type Level,
  type TableColumn,
  type TableFilter,
  type TablePoints,
  type TableRows,
  withinRectangle,
} from './question';
import { rowsTable, type Sorting, titleOf } from './rows';

export interface TablesOptions {
  api: Api;
  executionId: string;
  measurements: readonly Measurement[];
  primary: string | null;
  /** Image ids by well, by field. */
  images: Readonly<Record<string, readonly number[]>>;
  onWell: (well: string) => void;
  /** These wells hold the rows that were chosen in the scatter plot; null when none are chosen any more. */
  onWells: (wells: ReadonlySet<string> | null) => void;
}

export interface Tables {
  /** More wells are done: ask again for what is shown, as soon as the server has had a breather. */
  refresh(): void;
  /** Another well is looked at. */
  mark(well: string | null): void;
}

const PAGE_ROWS = 100;
/** Milliseconds between two questions about the same while a run goes on. */
const INTERVAL = 2000;
const BREATHER = 5;
const SOURCE = 'tables';

/** Take over the elements of the template `tables.html`. */
export function createTables(options: TablesOptions): Tables {
  const { api, executionId, measurements } = options;
  const path = `executions/${executionId}/table/`;
  const level = byId<HTMLSelectElement>('oh-level');
  const host = byId('oh-table');
  const chosenLine = byId('oh-table-chosen');
  const earlier = byId<HTMLButtonElement>('oh-earlier');
  const later = byId<HTMLButtonElement>('oh-later');
  const histogramColumn = byId<HTMLSelectElement>('oh-histogram-column');
  const axes = { x: byId<HTMLSelectElement>('oh-scatter-x'), y: byId<HTMLSelectElement>('oh-scatter-y') };
  const charts = byId<HTMLDetailsElement>('oh-charts');
  const title = (name: string) => titleOf(name, measurements);

  let sorting: Sorting | null = null;
  let offset = 0;
  let selection: TableFilter[] = [];
  let marked: string | null = null;
  let columns: readonly TableColumn[] = [];
  let points: TablePoints | null = null;
  const drawn: { histogram: Chart | undefined; scatter: Chart | undefined } = { histogram: undefined, scatter: undefined };
  let drawnData = '';
  let asked = 0;
  let lastBegan = 0;
  let lastTook = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const bar = createFilterBar({ host: byId('oh-table-filters'), titleOf: title, onChange: () => again({ charts: true }) });
  const filters = () => [...bar.filters, ...selection];
  const question = (conditions: readonly TableFilter[]): Record<string, QueryValue> => ({
    level: level.value,
    ...filterParams(conditions),
  });
  const order = (): Record<string, QueryValue> =>
    sorting ? { sort: sorting.column, descending: sorting.descending || null } : {};

  // ---------------------------------------------------------------- rows

  async function load(withCharts: boolean): Promise<void> {
    asked += 1;
    const mine = asked;
    lastBegan = Date.now();
    try {
      const page = await api.get<TableRows>(path, {
        params: { ...question(filters()), ...order(), offset, limit: PAGE_ROWS },
      });
      lastTook = Date.now() - lastBegan;
      if (mine !== asked) return; // somebody has asked something else meanwhile
      columns = page.columns;
      bar.offer(columns);
      showRows(page);
      showDownloads();
      if (withCharts && charts.open) await loadCharts(mine);
    } catch (error) {
      if (mine === asked) tell(error);
    }
  }

  function tell(error: unknown): void {
    const text = error instanceof ApiError ? error.message : String(error);
    host.replaceChildren(make('p', { class: 'oh-notice oh-notice-error', role: 'alert' }, text));
  }

  function showRows(page: TableRows): void {
    const from = page.matching_rows === 0 ? 0 : page.offset + 1;
    const to = page.offset + page.rows.length;
    earlier.hidden = page.offset === 0;
    later.hidden = to >= page.matching_rows;
    const all = page.total_rows.toLocaleString('en');
    const matching = page.matching_rows.toLocaleString('en');
    const wells = Object.keys(page.wells);
    byId('oh-table-count').textContent =
      page.total_rows === 0
        ? ''
        : filters().length > 0
          ? `${matching} of ${all} rows, in ${count(wells.length, 'well')}; rows ${from} to ${to} are shown`
          : `${all} rows; rows ${from} to ${to} are shown`;
    showChosen(page, wells);
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.column : undefined;
    if (page.rows.length === 0) {
      const nothing = page.total_rows === 0 ? emptyText(page.level) : 'No row fulfils all filters.';
      host.replaceChildren(make('p', { class: 'oh-hint oh-empty' }, nothing));
      return;
    }
    host.replaceChildren(rowsTable(page, { measurements, sorting, onSort: sortBy, onRow: chooseRow }));
    if (focused) host.querySelector<HTMLElement>(`[data-column="${CSS.escape(focused)}"]`)?.focus();
    showMarked();
  }

  function emptyText(which: Level): string {
    return which === 'object'
      ? 'No object was measured. Objects appear when a well is done in which the pipeline finds some.'
      : 'Measurements appear when the first well is done.';
  }

  function sortBy(next: Sorting): void {
    sorting = next;
    again();
  }

  function chooseRow(cells: Record<string, Cell>): void {
    const well = String(cells.well);
    options.onWell(well);
    const image = options.images[well]?.[Number(cells.field) - 1];
    if (level.value !== 'object' || image === undefined || typeof cells.label !== 'number') return;
    announceObject({ image_id: image, label_name: String(cells.object ?? ''), object_id: cells.label }, SOURCE);
  }

  function again(more: { charts?: boolean } = {}): void {
    offset = 0;
    void load(more.charts ?? false);
  }

  // ---------------------------------------------------------------- what is chosen in the scatter plot

  function showChosen(page: TableRows, wells: string[]): void {
    chosenLine.hidden = selection.length === 0;
    options.onWells(selection.length > 0 ? new Set(wells) : null);
    if (selection.length === 0) return;
    const named = wells.length > 12 ? `${wells.slice(0, 12).join(', ')} and ${wells.length - 12} more` : wells.join(', ');
    const clear = make('button', { type: 'button', class: 'oh-button oh-button-small' }, 'Show all rows again');
    clear.addEventListener('click', () => {
      selection = [];
      again();
      level.focus();
    });
    const rows = `${page.matching_rows.toLocaleString('en')} rows chosen in the plot`;
    chosenLine.replaceChildren(make('span', {}, wells.length > 0 ? `${rows}, in ${named}` : rows), clear);
  }

  // ---------------------------------------------------------------- charts

  async function loadCharts(mine: number): Promise<void> {
    offerColumns();
    const [column, x, y] = [histogramColumn.value, axes.x.value, axes.y.value];
    if (!column || !x || !y) {
      showCharts(null, null);
      return;
    }
    const [histogram, found] = await Promise.all([
      api.get<ColumnHistogram>(`${path}histogram/`, { params: { ...question(bar.filters), column } }),
      api.get<TablePoints>(`${path}points/`, { params: { ...question(bar.filters), x, y } }),
    ]);
    if (mine === asked) showCharts(histogram, found);
  }

  function offerColumns(): void {
    const names = drawable(columns);
    const first = options.primary && names.includes(options.primary) ? options.primary : names[0];
    const second = names.find((name) => name !== first) ?? first;
    for (const [select, preferred] of [
      [histogramColumn, first],
      [axes.x, second],
      [axes.y, first],
    ] as const) {
      const before = select.value;
      select.replaceChildren(...names.map((name) => make('option', { value: name }, title(name))));
      select.value = names.includes(before) ? before : (preferred ?? '');
    }
  }

  function showCharts(histogram: ColumnHistogram | null, found: TablePoints | null): void {
    // The same again, as when a run is looked at anew, is left alone: somebody may be drawing a rectangle in it.
    const shown = JSON.stringify([histogram, found, axes.x.value, axes.y.value]);
    if (shown === drawnData && drawn.scatter) return;
    drawnData = shown;
    drawn.histogram?.destroy();
    drawn.histogram = undefined;
    const box = byId('oh-histogram');
    box.replaceChildren();
    if (histogram && histogram.values > 0) drawn.histogram = drawHistogram(box, histogram, title(histogram.column));
    byId('oh-histogram-words').textContent = histogram
      ? histogramInWords(histogram, title(histogram.column))
      : 'There is nothing to draw at this level yet.';
    points = found;
    showScatter();
  }

  function showScatter(): void {
    drawn.scatter?.destroy();
    drawn.scatter = undefined;
    const box = byId('oh-scatter');
    box.replaceChildren();
    byId('oh-scatter-words').textContent = points ? pointsInWords(points) : '';
    if (!points || points.total === 0) return;
    const shown = points;
    drawn.scatter = drawScatter(box, shown, {
      columns: { x: axes.x.value, y: axes.y.value },
      titles: { x: title(axes.x.value), y: title(axes.y.value) },
      well: marked,
      onRectangle(rectangle) {
        selection = withinRectangle(rectangle);
        again();
      },
      onPoint(index) {
        const well = shown.wells[shown.well[index] ?? -1];
        if (well === undefined) return;
        chooseRow({
          well,
          field: shown.field?.[index] ?? null,
          label: shown.label?.[index] ?? null,
          object: shown.object?.[index] ?? null,
        });
      },
    });
  }

  async function redrawCharts(): Promise<void> {
    if (!charts.open) return;
    try {
      await loadCharts(asked);
    } catch (error) {
      byId('oh-scatter-words').textContent = error instanceof Error ? error.message : String(error);
    }
  }

  // ---------------------------------------------------------------- wells, objects and files

  function showMarked(): void {
    for (const line of host.querySelectorAll<HTMLElement>('tr[data-well]')) {
      line.classList.toggle('oh-marked', line.dataset.well === marked);
    }
  }

  function showDownloads(): void {
    for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-oh-format]')) {
      link.href = api.url(`${path}download/`, { ...question(filters()), ...order(), format: link.dataset.ohFormat ?? '' });
    }
  }

  /** Show the row of an object that was chosen in a picture of it. */
  function findObject(image: number, label: number | null, name: string): void {
    const place = Object.entries(options.images).find(([, fields]) => fields.includes(image));
    if (!place || label === null || level.value !== 'object') return;
    const [well, fields] = place;
    const field = fields.indexOf(image) + 1;
    const mark = () => {
      for (const line of host.querySelectorAll<HTMLElement>('tr[data-label]')) {
        const here = line.dataset.well === well && line.dataset.field === String(field) && line.dataset.label === String(label);
        line.classList.toggle('oh-chosen-object', here);
        if (here) line.scrollIntoView({ block: 'nearest' });
      }
    };
    const there = host.querySelector(`tr[data-well="${well}"][data-field="${field}"][data-label="${label}"]`);
    if (there) {
      mark();
      return;
    }
    selection = [
      { column: 'well', operator: 'eq', value: well },
      { column: 'field', operator: 'eq', value: field },
      { column: 'label', operator: 'eq', value: label },
      ...(name && columns.some((column) => column.name === 'object')
        ? [{ column: 'object', operator: 'eq' as const, value: name }]
        : []),
    ];
    offset = 0;
    void load(false).then(mark);
  }

  onObjectSelected(({ image_id, object_id, label_name }) => findObject(image_id, object_id, label_name), SOURCE);
  level.addEventListener('change', () => {
    sorting = null;
    selection = [];
    bar.clear();
    again({ charts: true });
  });
  const turn = (by: number) => () => {
    offset = Math.max(0, offset + by);
    void load(false).then(() => host.scrollTo({ top: 0 }));
  };
  earlier.addEventListener('click', turn(-PAGE_ROWS));
  later.addEventListener('click', turn(PAGE_ROWS));
  charts.addEventListener('toggle', () => void redrawCharts());
  for (const select of [histogramColumn, axes.x, axes.y]) select.addEventListener('change', () => void redrawCharts());
  void load(true);

  return {
    refresh() {
      clearTimeout(timer);
      const wait = lastBegan + Math.max(INTERVAL, BREATHER * lastTook) - Date.now();
      timer = setTimeout(() => void load(true), Math.max(0, wait));
    },
    mark(well) {
      if (marked === well) return;
      marked = well;
      showMarked();
      if (charts.open) showScatter();
    },
  };
}
