// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Where wells are: names, and places in the drawing.
 *
 * Rows and columns count from zero. In the drawing one well takes a square of {@link CELL} units; the headers lie to the
 * left of and above the wells. Well names have at least two digits (`A01`, `AF48`), as everywhere in this system.
 */

export const CELL = 20;
export const HEADER_WIDTH = 26;
export const HEADER_HEIGHT = 20;

/** A place on the plate. Row or column -1 is the header; both -1 the corner. */
export interface Place {
  row: number;
  column: number;
}

/** A block of wells; all four bounds belong to it. */
export interface Block {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** The letters of a row: A … Z, AA … */
export function rowName(row: number): string {
  const first = Math.floor(row / 26);
  const last = String.fromCharCode(65 + (row % 26));
  return first > 0 ? String.fromCharCode(64 + first) + last : last;
}

export function wellName(row: number, column: number): string {
  return rowName(row) + String(column + 1).padStart(2, '0');
}

export function wellPlace(name: string): Place {
  const match = /^([A-Z]{1,2})0*([1-9][0-9]{0,2})$/.exec(name.trim().toUpperCase());
  const [, letters, digits] = match ?? [];
  if (!letters || !digits) throw new RangeError(`"${name}" is not the name of a well`);
  let row = 0;
  for (const letter of letters) row = row * 26 + letter.charCodeAt(0) - 64;
  return { row: row - 1, column: Number(digits) - 1 };
}

/** The block between two opposite corners, in any order. */
export function blockBetween(one: Place, other: Place): Block {
  return {
    top: Math.min(one.row, other.row),
    bottom: Math.max(one.row, other.row),
    left: Math.min(one.column, other.column),
    right: Math.max(one.column, other.column),
  };
}

export function drawingSize(rows: number, columns: number): { width: number; height: number } {
  return { width: HEADER_WIDTH + columns * CELL, height: HEADER_HEIGHT + rows * CELL };
}

/** The upper left corner of a cell in the drawing. */
export function cellCorner(place: Place): { x: number; y: number } {
  return {
    x: place.column < 0 ? 0 : HEADER_WIDTH + place.column * CELL,
    y: place.row < 0 ? 0 : HEADER_HEIGHT + place.row * CELL,
  };
}

/** The cell, header or corner at a point of the drawing, kept within the plate. */
export function placeAt(x: number, y: number, rows: number, columns: number): Place {
  const within = (value: number, count: number) => Math.max(-1, Math.min(count - 1, value));
  return {
    row: within(Math.floor((y - HEADER_HEIGHT) / CELL), rows),
    column: within(Math.floor((x - HEADER_WIDTH) / CELL), columns),
  };
}

/** The rows and columns that a standard plate of so many wells has (6 to 1536), or undefined for another number. */
export function standardFormat(wells: number): { rows: number; columns: number } | undefined {
  const formats: Record<number, [number, number]> = {
    6: [2, 3],
    12: [3, 4],
    24: [4, 6],
    48: [6, 8],
    96: [8, 12],
    384: [16, 24],
    1536: [32, 48],
  };
  const format = formats[wells];
  return format && { rows: format[0], columns: format[1] };
}
