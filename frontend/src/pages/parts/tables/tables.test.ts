// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../../../shared/api';
import { announceObject, type ObjectSelection, onObjectSelected } from '../../../shared/object-selection';
import type { ColumnHistogram, TablePoints, TableRows } from './question';
import { drawable, filterFrom, filterParams, operatorsFor, withinRectangle } from './question';

// uPlot asks for it when it is loaded; jsdom has none.
vi.hoisted(() => {
  globalThis.matchMedia ??= (() => ({ addEventListener: () => undefined })) as unknown as typeof matchMedia;
});
const charts = vi.hoisted(() => ({ scatter: undefined as unknown }));
vi.mock('./charts', async (original) => ({
  ...(await original<typeof import('./charts')>()),
  drawHistogram: () => ({ destroy: () => undefined }),
  drawScatter: (_: unknown, __: unknown, options: unknown) => {
    charts.scatter = options;
    return { destroy: () => undefined };
  },
}));

const { createTables } = await import('./index');
const { histogramData, histogramInWords, pointsInWords, scatterOrder, spanAround } = await import('./charts');

const AREA = { name: 'area', numeric: true };
const WELL = { name: 'well', numeric: false };

describe('filters', () => {
  it('take numbers as people write them, and say what is missing', () => {
    expect(filterFrom(AREA, 'gt', ' 12,5 ')).toEqual({ column: 'area', operator: 'gt', value: 12.5 });
    expect(filterFrom(AREA, 'gt', '1e3')).toEqual({ column: 'area', operator: 'gt', value: 1000 });
    expect(filterFrom(AREA, 'gt', 'many')).toBe('Write a number.');
    expect(filterFrom(AREA, 'gt', '')).toBe('Write a number.');
    expect(filterFrom(AREA, 'missing', 'x')).toEqual({ column: 'area', operator: 'missing' });
    expect(filterFrom(WELL, 'contains', '')).toBe('Write what to look for.');
    expect(filterFrom(WELL, 'eq', 'A01')).toEqual({ column: 'well', operator: 'eq', value: 'A01' });
  });

  it('offer comparisons by size for numbers only', () => {
    expect(operatorsFor(true)).toContain('gt');
    expect(operatorsFor(true)).not.toContain('contains');
    expect(operatorsFor(false)).not.toContain('lt');
  });

  it('are no parameter when there are none', () => {
    expect(filterParams([])).toEqual({});
    expect(JSON.parse(String(filterParams([{ column: 'a', operator: 'missing' }]).filters))).toHaveLength(1);
  });

  it('of a rectangle hold whichever corner it was drawn from', () => {
    const drawn = withinRectangle({ x: 'a', y: 'b', left: 5, right: 1, low: 2, high: -3 });
    expect(drawn.map((filter) => [filter.column, filter.operator, filter.value])).toEqual([
      ['a', 'ge', 1],
      ['a', 'le', 5],
      ['b', 'ge', -3],
      ['b', 'le', 2],
    ]);
  });

  it('places are not worth drawing, and positions in the image come last', () => {
    expect(drawable([{ name: 'centroid_y', numeric: true }, AREA])).toEqual(['area', 'centroid_y']);
    expect(drawable([WELL, { name: 'field', numeric: true }, { name: 'label', numeric: true }, AREA])).toEqual(['area']);
  });
});

const HISTOGRAM: ColumnHistogram = {
  column: 'area',
  edges: [0, 1, 2],
  counts: [3, 4],
  values: 7,
  missing: 2,
  mean: 1.1,
  median: 1,
};
const POINTS: TablePoints = {
  x: [3, 1, 2],
  y: [1, 2, 3],
  well: [0, 0, 1],
  wells: ['A01', 'B02'],
  field: [1, 1, 2],
  label: [7, 8, 9],
  object: ['nuclei', 'nuclei', 'nuclei'],
  total: 3,
  missing: 0,
  density: null,
};

describe('charts', () => {
  it('draw the last bar as wide as the others', () => {
    expect(histogramData(HISTOGRAM)).toEqual([
      [0, 1, 2],
      [3, 4, 4],
    ]);
  });

  it('are said in words, also when there is nothing to see', () => {
    expect(histogramInWords(HISTOGRAM, 'Area')).toBe(
      '7 values of Area: from 0 to 2, median 1, mean 1.1; 2 rows have no value.',
    );
    expect(histogramInWords({ ...HISTOGRAM, edges: [3.5, 10.5], counts: [7], median: 7 }, 'Area')).toContain('all 7');
    expect(histogramInWords({ ...HISTOGRAM, values: 0, edges: [], counts: [] }, 'Area')).toBe('No row has a value of Area.');
    expect(pointsInWords({ ...POINTS, total: 0, missing: 4 })).toBe('No row has both values.');
  });

  it('say that a sample is a sample', () => {
    const density = { x_low: 0, x_high: 1, y_low: 0, y_high: 1, counts: [[1]] };
    const said = pointsInWords({ ...POINTS, total: 768_000, density });
    expect(said).toContain('768,000 rows');
    expect(said).toContain('3 of them, chosen at random');
  });

  it('put points in the order of x and keep which is which', () => {
    expect(scatterOrder(POINTS)).toEqual([1, 2, 0]);
  });

  it('leave room around constant values', () => {
    expect(spanAround(7, 7)).toEqual([3.5, 10.5]);
    expect(spanAround(0, 0)).toEqual([-0.5, 0.5]);
  });
});

const PAGE = `
  <select id="oh-level"><option>well</option><option>field</option><option selected>object</option></select>
  <a data-oh-format="csv"></a><div id="oh-table-filters"></div>
  <details id="oh-charts" open><summary>x</summary><select id="oh-histogram-column"></select><div id="oh-histogram"></div>
  <p id="oh-histogram-words"></p><select id="oh-scatter-x"></select><select id="oh-scatter-y"></select>
  <div id="oh-scatter"></div><p id="oh-scatter-words"></p></details>
  <p id="oh-table-chosen" hidden></p><p id="oh-table-count"></p><div id="oh-table"></div>
  <button id="oh-earlier"></button><button id="oh-later"></button>`;

function rowsPage(more: Partial<TableRows> = {}): TableRows {
  return {
    level: 'object',
    columns: [
      WELL,
      { name: 'field', numeric: true },
      { name: 'object', numeric: false },
      { name: 'label', numeric: true },
      AREA,
      { name: 'mean', numeric: true },
    ],
    rows: [
      ['A01', 1, 'nuclei', 7, 3, 1],
      ['B02', 2, 'nuclei', 9, 2, null],
    ],
    offset: 0,
    total_rows: 250,
    matching_rows: 250,
    wells: { A01: 200, B02: 50 },
    ...more,
  };
}

describe('the tables of an execution', () => {
  let asked: { path: string; params: Record<string, unknown> }[];
  let answer: TableRows;
  const wells: (ReadonlySet<string> | null)[] = [];
  const chosen: string[] = [];
  const api = {
    get: (path: string, { params }: { params: Record<string, unknown> }) => {
      asked.push({ path, params });
      if (path.endsWith('histogram/')) return Promise.resolve(HISTOGRAM);
      return Promise.resolve(path.endsWith('points/') ? POINTS : answer);
    },
    url: (path: string, params: Record<string, string>) => `${path}?${new URLSearchParams(params).toString()}`,
  } as unknown as Api;

  beforeEach(() => {
    document.body.innerHTML = PAGE;
    HTMLElement.prototype.scrollTo = () => undefined;
    HTMLElement.prototype.scrollIntoView = () => undefined;
    globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS;
    asked = [];
    answer = rowsPage();
    wells.length = 0;
    chosen.length = 0;
  });
  afterEach(() => vi.useRealTimers());

  const start = () =>
    createTables({
      api,
      executionId: 'e1',
      measurements: [],
      primary: 'area',
      images: { A01: [11], B02: [12, 13] },
      onWell: (well) => chosen.push(well),
      onWells: (found) => wells.push(found),
    });
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  const rowsAsked = () => asked.filter((each) => each.path.endsWith('table/'));

  it('shows a page of rows, and the other pages by asking for them', async () => {
    start();
    await settled();
    expect(document.querySelectorAll('#oh-table tbody tr')).toHaveLength(2);
    expect(document.getElementById('oh-table-count')?.textContent).toContain('250 rows');
    document.getElementById('oh-later')?.click();
    await settled();
    expect(rowsAsked().at(-1)?.params).toMatchObject({ offset: 100, limit: 100, level: 'object' });
  });

  it('sorts on the server, both ways', async () => {
    start();
    await settled();
    const header = () => document.querySelector<HTMLButtonElement>('[data-column="area"]');
    header()?.click();
    await settled();
    expect(rowsAsked().at(-1)?.params).toMatchObject({ sort: 'area', descending: null });
    expect(header()?.closest('th')?.getAttribute('aria-sort')).toBe('ascending');
    header()?.click();
    await settled();
    expect(rowsAsked().at(-1)?.params).toMatchObject({ sort: 'area', descending: true });
  });

  it('tells the viewer which object was chosen, and the plate which well', async () => {
    const heard: ObjectSelection[] = [];
    const stop = onObjectSelected((selection) => heard.push(selection));
    start();
    await settled();
    document.querySelectorAll<HTMLButtonElement>('#oh-table tbody button')[1]?.click();
    stop();
    expect(heard).toEqual([{ image_id: 13, label_name: 'nuclei', object_id: 9 }]);
    expect(chosen).toEqual(['B02']);
  });

  it('shows the row of an object that was chosen in a picture', async () => {
    start();
    await settled();
    announceObject({ image_id: 13, label_name: 'nuclei', object_id: 9 });
    expect(document.querySelector('.oh-chosen-object')?.getAttribute('data-label')).toBe('9');
    // One on another page is asked for.
    announceObject({ image_id: 12, label_name: 'nuclei', object_id: 99 });
    await settled();
    const filters = JSON.parse(String(rowsAsked().at(-1)?.params.filters)) as { column: string; value: unknown }[];
    expect(filters.map((filter) => [filter.column, filter.value])).toEqual([
      ['well', 'B02'],
      ['field', 1],
      ['label', 99],
      ['object', 'nuclei'],
    ]);
  });

  it('a rectangle in the scatter plot keeps its rows and lets their wells stand out', async () => {
    start();
    await settled();
    answer = rowsPage({ matching_rows: 3, wells: { B02: 3 } });
    (charts.scatter as { onRectangle: (r: unknown) => void }).onRectangle({
      x: 'mean',
      y: 'area',
      left: 0,
      right: 1,
      low: 0,
      high: 2,
    });
    await settled();
    expect(JSON.parse(String(rowsAsked().at(-1)?.params.filters))).toHaveLength(4);
    expect([...(wells.at(-1) ?? [])]).toEqual(['B02']);
    expect(document.getElementById('oh-table-chosen')?.textContent).toContain('3 rows chosen in the plot, in B02');
    document.querySelector<HTMLButtonElement>('#oh-table-chosen button')?.click();
    await settled();
    expect(wells.at(-1)).toBeNull();
    expect(rowsAsked().at(-1)?.params.filters).toBeUndefined();
  });

  it('says plainly when nothing fulfils the filters or nothing was measured', async () => {
    answer = rowsPage({ rows: [], matching_rows: 0 });
    start();
    await settled();
    expect(document.getElementById('oh-table')?.textContent).toBe('No row fulfils all filters.');
    answer = rowsPage({ rows: [], columns: [], matching_rows: 0, total_rows: 0, wells: {} });
    document.getElementById('oh-level')?.dispatchEvent(new Event('change'));
    await settled();
    expect(document.getElementById('oh-table')?.textContent).toContain('No object was measured.');
    expect(document.getElementById('oh-histogram-words')?.textContent).toContain('nothing to draw');
  });

  it('does not ask after every well of a run', async () => {
    vi.useFakeTimers();
    const tables = start();
    await vi.advanceTimersByTimeAsync(10);
    for (let well = 0; well < 20; well += 1) {
      tables.refresh();
      await vi.advanceTimersByTimeAsync(20);
    }
    await vi.advanceTimersByTimeAsync(3000);
    expect(rowsAsked()).toHaveLength(2);
  });
});
