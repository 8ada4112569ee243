// SPDX-License-Identifier: AGPL-3.0-or-later
/** What is asked of a table: level, filters and order; and how people write filters. */

import type { QueryValue } from '../../../shared/api';

export type Level = 'well' | 'field' | 'object';
export type Operator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'contains' | 'present' | 'missing';

export interface TableFilter {
  column: string;
  operator: Operator;
  value?: number | string | null;
}

export interface TableColumn {
  name: string;
  numeric: boolean;
}

export type Cell = number | string | null;

/** A page of rows; `wells` counts the rows that fulfil the filters by well. */
export interface TableRows {
  level: Level;
  columns: TableColumn[];
  rows: Cell[][];
  offset: number;
  total_rows: number;
  matching_rows: number;
  wells: Record<string, number>;
}

export interface ColumnHistogram {
  column: string;
  edges: number[];
  counts: number[];
  values: number;
  missing: number;
  mean: number | null;
  median: number | null;
}

export interface PointDensity {
  x_low: number;
  x_high: number;
  y_low: number;
  y_high: number;
  counts: number[][];
}

export interface TablePoints {
  x: number[];
  y: number[];
  well: number[];
  wells: string[];
  field: number[] | null;
  label: (number | null)[] | null;
  object: (string | null)[] | null;
  total: number;
  missing: number;
  density: PointDensity | null;
}

export const OPERATORS: Readonly<Record<Operator, string>> = {
  gt: 'above',
  ge: 'at least',
  lt: 'below',
  le: 'at most',
  eq: 'is',
  ne: 'is not',
  contains: 'contains',
  present: 'has a value',
  missing: 'has no value',
};

/** The operators that make sense for a column of numbers or of text. */
export function operatorsFor(numeric: boolean): Operator[] {
  return numeric ? ['gt', 'ge', 'lt', 'le', 'eq', 'ne', 'present', 'missing'] : ['eq', 'ne', 'contains', 'present', 'missing'];
}

export function takesValue(operator: Operator): boolean {
  return operator !== 'present' && operator !== 'missing';
}

/**
 * A filter from what somebody chose and typed, or the sentence that says what is missing. Numbers are taken with a point or a
 * comma, as people write them.
 */
export function filterFrom(column: TableColumn, operator: Operator, typed: string): TableFilter | string {
  if (!takesValue(operator)) return { column: column.name, operator };
  const text = typed.trim();
  if (!column.numeric) return text ? { column: column.name, operator, value: text } : 'Write what to look for.';
  const value = text ? Number(text.replace(',', '.')) : Number.NaN;
  return Number.isFinite(value) ? { column: column.name, operator, value } : 'Write a number.';
}

/** The query parameters of these filters; none without any. */
export function filterParams(filters: readonly TableFilter[]): Record<string, QueryValue> {
  return filters.length > 0 ? { filters: JSON.stringify(filters) } : {};
}

export interface Rectangle {
  x: string;
  y: string;
  left: number;
  right: number;
  low: number;
  high: number;
}

/** The filters that keep what lies in a rectangle of a scatter plot. */
export function withinRectangle(chosen: Rectangle): TableFilter[] {
  return [
    { column: chosen.x, operator: 'ge', value: Math.min(chosen.left, chosen.right) },
    { column: chosen.x, operator: 'le', value: Math.max(chosen.left, chosen.right) },
    { column: chosen.y, operator: 'ge', value: Math.min(chosen.low, chosen.high) },
    { column: chosen.y, operator: 'le', value: Math.max(chosen.low, chosen.high) },
  ];
}

/** Columns that say where an object is found and not what it is like. */
const PLACES = new Set(['well', 'field', 'object', 'label']);

/** Where in the image an object lies: can be drawn, but is not what people look for first. */
const POSITIONS = new Set(['centroid_x', 'centroid_y', 'touches_border']);

/** The columns worth drawing: numbers that were measured, those that only say where an object lies last. */
export function drawable(columns: readonly TableColumn[]): string[] {
  const names = columns.filter((column) => column.numeric && !PLACES.has(column.name)).map((column) => column.name);
  return [...names.filter((name) => !POSITIONS.has(name)), ...names.filter((name) => POSITIONS.has(name))];
}
