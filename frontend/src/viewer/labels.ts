// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Label images, wherever they come from: saved in OMERO (a pyramid over OME-Zarr) or still with the execution service (one
 * array, for test runs and while results are being saved).
 */

import type { LabelInfo } from '../shared/contracts';
import { fetchLabels, type LabelPixels } from '../shared/label-pixels';
import { type Api, ApiError } from '../shared/api';
import { listSavedLabels, openSavedLabel } from './ome-zarr';
import type { Plane } from './pixels';
import { createTileCache } from './tile-cache';

export interface LabelTile {
  /** Object numbers row by row; 0 is background. */
  data: Int32Array;
  width: number;
  height: number;
}

/** A label image that can be read tile by tile; x and y count tiles. */
export interface LabelPyramid {
  levels: readonly { width: number; height: number }[];
  tileSize: number;
  tile(level: number, x: number, y: number, plane: Plane): Promise<LabelTile>;
  /** The object at a pixel of the full resolution: its number, 0 for background, or undefined when no tile has arrived there. */
  objectAt(x: number, y: number, plane: Plane): number | undefined;
}

/** A label image to choose from; it is read when it is chosen. */
export interface LabelChoice {
  title: string;
  /** Kind of the objects, such as `nuclei`. */
  name: string;
  /** The execution that made it; empty when that is not known. */
  execution: string;
  open(): Promise<LabelPyramid>;
}

export interface LabelRequest {
  /** Address of the image's Zarr. */
  zarr: string;
  /** Only label images of this execution, also when it did not save them in OMERO. */
  execution?: string;
  api?: Api;
  well?: string;
  field?: number;
}

/** Find the label images to choose from: those saved in OMERO, or else those that the execution service holds. */
export async function findLabels(request: LabelRequest): Promise<LabelChoice[]> {
  const saved = await listSavedLabels(request.zarr);
  const fitting = request.execution ? saved.filter(({ execution }) => execution === request.execution) : saved;
  if (fitting.length > 0 || !request.execution) {
    const several = new Set(fitting.map(({ name }) => name)).size < fitting.length;
    return fitting.map((label) => ({
      title: several ? `${label.name} (execution ${label.execution.slice(0, 8)})` : label.name,
      name: label.name,
      execution: label.execution,
      open: async () => savedPyramid(await openSavedLabel(request.zarr, label)),
    }));
  }
  return findServiceLabels(request, request.execution);
}

async function findServiceLabels({ api, well, field }: LabelRequest, execution: string): Promise<LabelChoice[]> {
  if (!api || !well) return [];
  const path = `executions/${encodeURIComponent(execution)}/wells/${encodeURIComponent(well)}/labels/`;
  let found: LabelInfo[];
  try {
    found = await api.get<LabelInfo[]>(path);
  } catch (error) {
    // The execution did not run this well, or not yet.
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
  return found
    .filter((label) => label.field === field)
    .map((label) => ({
      title: label.name,
      name: label.name,
      execution,
      open: async () => wholePyramid(await fetchLabels(api.url(`${path}${label.field}/${encodeURIComponent(label.name)}/`))),
    }));
}

type SavedLevels = Awaited<ReturnType<typeof openSavedLabel>>;

function savedPyramid(levels: SavedLevels): LabelPyramid {
  return {
    levels,
    tileSize: levels[0]?.tileSize ?? 512,
    async tile(level, x, y, plane) {
      const tile = await levels[level]?.getTile({ x, y, selection: plane });
      if (!tile) throw new RangeError(`no level ${level}`);
      return { data: tile.data as Int32Array, width: tile.width, height: tile.height };
    },
    objectAt(x, y, plane) {
      for (const [index, level] of levels.entries()) {
        const found = level.peek(plane, Math.floor(x / 2 ** index), Math.floor(y / 2 ** index));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

const WHOLE_TILE = 512;

/** A label image that is in memory as a whole, with smaller levels made by leaving pixels out. */
export function wholePyramid(full: LabelPixels): LabelPyramid {
  const levels = [full];
  for (let last = full; Math.max(last.width, last.height) > WHOLE_TILE; levels.push(last)) last = halved(last);
  const tiles = createTileCache<LabelTile>(64);
  return {
    levels,
    tileSize: WHOLE_TILE,
    tile: (level, x, y) => tiles.load(`${level}/${x}/${y}`, async () => cut(levels[level] ?? full, x, y)),
    objectAt: (x, y) => (x >= 0 && y >= 0 && x < full.width && y < full.height ? full.values[y * full.width + x] : undefined),
  };
}

function halved({ width, height, values }: LabelPixels): LabelPixels {
  const half = { width: Math.floor(width / 2), height: Math.floor(height / 2) };
  const smaller = new Int32Array(half.width * half.height);
  for (let y = 0; y < half.height; y += 1) {
    for (let x = 0; x < half.width; x += 1) smaller[y * half.width + x] = values[2 * y * width + 2 * x] ?? 0;
  }
  return { ...half, values: smaller };
}

function cut({ width, height, values }: LabelPixels, column: number, row: number): LabelTile {
  const left = column * WHOLE_TILE;
  const top = row * WHOLE_TILE;
  const size = {
    width: Math.max(0, Math.min(WHOLE_TILE, width - left)),
    height: Math.max(0, Math.min(WHOLE_TILE, height - top)),
  };
  const data = new Int32Array(size.width * size.height);
  for (let y = 0; y < size.height; y += 1) {
    const start = (top + y) * width + left;
    data.set(values.subarray(start, start + size.width), y * size.width);
  }
  return { data, ...size };
}

/** Some pixel of an object in image pixels, looked for in the smallest level; null when it is too small to be there. */
export async function findObject(labels: LabelPyramid, id: number, plane: Plane): Promise<{ x: number; y: number } | null> {
  const level = labels.levels.length - 1;
  const { width = 0, height = 0 } = labels.levels[level] ?? {};
  for (let row = 0; row * labels.tileSize < height; row += 1) {
    for (let column = 0; column * labels.tileSize < width; column += 1) {
      const tile = await labels.tile(level, column, row, plane);
      const index = tile.data.indexOf(id);
      if (index < 0) continue;
      const x = column * labels.tileSize + (index % tile.width);
      const y = row * labels.tileSize + Math.floor(index / tile.width);
      return { x: x * 2 ** level, y: y * 2 ** level };
    }
  }
  return null;
}
