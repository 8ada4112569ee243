// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it, vi } from 'vitest';
import { type Api, ApiError } from '../shared/api';
import { colourChosen } from './label-colours';
import { findObject, wholePyramid } from './labels';
import { createObjectTable, ROW_HEIGHT, sortedRows } from './object-table';
import { type Cell, fetchObjects, type ObjectTable, tableOf } from './objects';

const COLUMNS = ['well', 'field', 'object', 'label', 'centroid_y', 'centroid_x', 'area', 'mean', 'spots'];

function rowsOf(count: number, field = 1, kind = 'nuclei'): Cell[][] {
  return Array.from({ length: count }, (_, index) => [
    'B03',
    field,
    kind,
    index + 1,
    index * 2,
    index * 3,
    (index * 7919) % count,
    index % 10 === 0 ? null : index / 3,
    null,
  ]);
}

function table(count: number): ObjectTable {
  const made = tableOf(COLUMNS, rowsOf(count), 'nuclei');
  if (!made) throw new Error('no table');
  return made;
}

describe('the measurements of a field', () => {
  it('are those of one kind, without columns that have no value', () => {
    const made = tableOf(COLUMNS, [...rowsOf(2), ...rowsOf(3, 1, 'cells')], 'nuclei');
    expect(made?.ids).toEqual([1, 2]);
    expect(made?.columns).toEqual(['area', 'mean']);
    expect(made?.centreOf(2)).toEqual({ x: 3, y: 2 });
    expect(made?.centreOf(9)).toBeNull();
    expect(tableOf(COLUMNS, rowsOf(2), 'spots')).toBeNull();
  });

  it('are read page by page, and no further than the field goes', async () => {
    const pages = [
      { rows: rowsOf(3), next_cursor: '3' },
      { rows: [...rowsOf(2), ...rowsOf(1, 2)], next_cursor: '6' },
    ];
    const get = vi.fn(async () => ({ columns: COLUMNS, level: 'object', total_rows: 9, ...pages.shift() }));
    const wanted = { api: { get } as unknown as Api, execution: 'e1', well: 'B03', field: 1, labelName: 'nuclei' };
    expect((await fetchObjects(wanted))?.ids).toHaveLength(5);
    expect(get).toHaveBeenCalledTimes(2);
    expect(get).toHaveBeenLastCalledWith('executions/e1/measurements/', {
      params: { level: 'object', well: 'B03', limit: 10_000, cursor: '3' },
    });
  });

  it('may be gone with their execution; anything else that goes wrong is said', async () => {
    const failing = (status: number) => ({ get: () => Promise.reject(new ApiError('x', 'No.', status)) }) as unknown as Api;
    const wanted = { execution: 'e1', well: 'B03', field: 1, labelName: 'nuclei' };
    expect(await fetchObjects({ ...wanted, api: failing(404) })).toBeNull();
    await expect(fetchObjects({ ...wanted, api: failing(503) })).rejects.toThrow('No.');
  });
});

describe('the table of objects', () => {
  it('sorts by any column, with missing values last in both directions', () => {
    const small = table(21);
    const column = small.columns.indexOf('mean');
    expect(sortedRows(small, column, 1).slice(0, 2)).toEqual([1, 2]);
    expect(sortedRows(small, column, -1).slice(0, 2)).toEqual([19, 18]);
    for (const direction of [1, -1] as const) {
      expect(new Set(sortedRows(small, column, direction).slice(-3))).toEqual(new Set([0, 10, 20]));
    }
    expect(sortedRows(small, -1, -1)[0]).toBe(20);
  });

  it('keeps only the rows in sight in the page, also with 20,000 objects', () => {
    const chosen = vi.fn();
    const view = createObjectTable(chosen);
    document.body.replaceChildren(view.element);
    view.show(table(20_000), 'nuclei');
    const shown = () =>
      [...view.element.querySelectorAll<HTMLElement>('[data-object]')].map((line) => Number(line.dataset.object));
    expect(view.element.querySelector('h2')?.textContent).toBe('Nuclei: 20,000 objects of this field');
    expect(shown().length).toBeLessThan(60);
    expect(shown()[0]).toBe(1);
    view.select(15_000);
    const scroller = view.element.querySelector<HTMLElement>('.oh-viewer-rows');
    expect(scroller?.scrollTop).toBeGreaterThan(14_900 * ROW_HEIGHT);
    expect(shown()).toContain(15_000);
    expect(view.element.querySelector('[aria-selected=true]')?.getAttribute('data-object')).toBe('15000');
    const heights = [...view.element.querySelectorAll<HTMLElement>('tr[aria-hidden]')].map((line) =>
      Number.parseInt(line.style.height),
    );
    expect((heights[0] ?? 0) + (heights[1] ?? 0) + shown().length * ROW_HEIGHT).toBe(20_000 * ROW_HEIGHT);
    view.element.querySelector<HTMLElement>('[data-object="15001"] td')?.click();
    expect(chosen).toHaveBeenLastCalledWith(15_001);
    scroller?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp' }));
    expect(chosen).toHaveBeenLastCalledWith(14_999);
  });

  it('says when nothing was measured', () => {
    const view = createObjectTable(vi.fn());
    view.show(null, 'nuclei');
    expect(view.element.textContent).toContain('No measurements of nuclei');
  });
});

describe('the chosen object', () => {
  const values = Int32Array.from(
    [
      [0, 0, 0, 0, 0, 0],
      [0, 7, 7, 7, 7, 0],
      [0, 7, 7, 7, 7, 0],
      [0, 7, 7, 7, 7, 0],
      [0, 7, 7, 7, 7, 3],
      [0, 0, 0, 0, 0, 0],
    ].flat(),
  );

  it('is outlined in white, and tiles without it are empty', () => {
    const pixels = colourChosen({ data: values, width: 6, height: 6 }, 7);
    expect([...(pixels ?? []).slice(4 * 7, 4 * 7 + 4)]).toEqual([255, 255, 255, 255]);
    expect(pixels?.[4 * (2 * 6 + 0) + 3]).toBe(0);
    expect(colourChosen({ data: values, width: 6, height: 6 }, 8)).toBeNull();
  });

  it('is found without a measured position', async () => {
    const pyramid = wholePyramid({ width: 6, height: 6, values });
    expect(await findObject(pyramid, 3, { t: 0, c: 0, z: 0 })).toEqual({ x: 5, y: 4 });
    expect(await findObject(pyramid, 99, { t: 0, c: 0, z: 0 })).toBeNull();
  });
});
