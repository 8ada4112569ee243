// SPDX-License-Identifier: AGPL-3.0-or-later
/** The measurements of the objects of one field, as the execution service has them. */

import { type Api, ApiError } from '../shared/api';
import type { MeasurementPage } from '../shared/contracts';

export type Cell = number | string | null;

/** Rows of one kind of objects in one field. `columns` are the measurements, without where the object is. */
export interface ObjectTable {
  columns: string[];
  ids: number[];
  /** Cells by row and column. */
  rows: Cell[][];
  /** Row of an object by its number. */
  rowOf: ReadonlyMap<number, number>;
  /** Middle of an object in image pixels, where it was measured. */
  centreOf(id: number): { x: number; y: number } | null;
}

export interface ObjectsWanted {
  api: Api;
  execution: string;
  well: string;
  /** Counts from 1. */
  field: number;
  /** Kind of objects, which is the name of their label image. */
  labelName: string;
}

const PAGE_ROWS = 10_000;
/** Columns that say which object it is and where, and not what was measured. */
const PLACE = new Set(['well', 'field', 'object', 'label', 'centroid_y', 'centroid_x']);

/** Read the table; null when the execution has none for this well (any more). */
export async function fetchObjects(wanted: ObjectsWanted, signal?: AbortSignal): Promise<ObjectTable | null> {
  const path = `executions/${encodeURIComponent(wanted.execution)}/measurements/`;
  let columns: string[] = [];
  const rows: Cell[][] = [];
  let cursor: string | null = null;
  try {
    do {
      const params = { level: 'object', well: wanted.well, limit: PAGE_ROWS, cursor };
      const page: MeasurementPage = await wanted.api.get(path, { params, ...(signal ? { signal } : {}) });
      columns = page.columns;
      const field = columns.indexOf('field');
      rows.push(...page.rows.filter((row) => row[field] === wanted.field));
      // Rows come field after field: behind this field there is nothing more to find.
      const last = page.rows.at(-1)?.[field];
      cursor = typeof last === 'number' && last > wanted.field ? null : page.next_cursor;
    } while (cursor !== null);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
  return tableOf(columns, rows, wanted.labelName);
}

/** Make a table of the rows of one kind; null when there are none. Columns without any value are left out. */
export function tableOf(columns: readonly string[], all: readonly Cell[][], kind: string): ObjectTable | null {
  const at = (name: string) => columns.indexOf(name);
  const [label, object, y, x] = [at('label'), at('object'), at('centroid_y'), at('centroid_x')];
  const own = object < 0 ? [...all] : all.filter((row) => row[object] === kind);
  const known = own.filter((row) => typeof row[label] === 'number');
  if (known.length === 0) return null;
  const shown = columns.map((name, index) => ({ name, index })).filter(({ name }) => !PLACE.has(name));
  const filled = shown.filter(({ index }) => known.some((row) => row[index] !== null && row[index] !== undefined));
  const rowOf = new Map(known.map((row, index) => [row[label] as number, index]));
  return {
    columns: filled.map(({ name }) => name),
    ids: known.map((row) => row[label] as number),
    rows: known.map((row) => filled.map(({ index }) => row[index] ?? null)),
    rowOf,
    centreOf(id) {
      const row = known[rowOf.get(id) ?? -1];
      const [left, top] = [row?.[x], row?.[y]];
      return typeof left === 'number' && typeof top === 'number' ? { x: left, y: top } : null;
    },
  };
}
