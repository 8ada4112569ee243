// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * One resolution level of an image, read tile by tile: what Viv calls a pixel source, over a Zarr array (t, c, z, y, x) or,
 * for labels, (t, z, y, x).
 *
 * Tiles of all levels have the size of the chunks of level 0, even where a small level has smaller chunks: deck.gl lays tiles
 * out on one grid, and a level with tiles of another size would be drawn in the wrong place.
 */

import type { PixelData, PixelSource, SupportedDtype } from '@vivjs/types';
import * as zarr from 'zarrita';
import { createTileCache, type TileCache } from './tile-cache';

// A type and not an interface: Viv wants it to be assignable to a record.
export type Plane = {
  t: number;
  c: number;
  z: number;
};

export type PlaneAxes = ['t', 'c', 'z'];

export type ZarrArray = zarr.Array<zarr.DataType, zarr.Readable>;

/** So many tiles of all levels and channels are kept; at 512 x 512 and 16 bits about 64 MB. */
const TILES_KEPT = 128;

const DTYPES: Readonly<Record<string, SupportedDtype>> = {
  int8: 'Int8',
  int16: 'Int16',
  int32: 'Int32',
  uint8: 'Uint8',
  uint16: 'Uint16',
  uint32: 'Uint32',
  float32: 'Float32',
  float64: 'Float64',
};

export class PixelLevel implements PixelSource<PlaneAxes> {
  readonly shape: number[];
  readonly dtype: SupportedDtype;
  readonly labels: [...PlaneAxes, 'y', 'x'] = ['t', 'c', 'z', 'y', 'x'];
  readonly height: number;
  readonly width: number;

  private constructor(
    private readonly array: ZarrArray,
    private readonly level: number,
    readonly tileSize: number,
    private readonly cache: TileCache<PixelData>,
  ) {
    const dtype = DTYPES[array.dtype];
    if (!dtype) throw new Error(`Pixels of type ${array.dtype} cannot be shown.`);
    this.dtype = dtype;
    this.shape = array.shape;
    this.height = array.shape.at(-2) ?? 0;
    this.width = array.shape.at(-1) ?? 0;
  }

  /** The levels of a pyramid, full resolution first. */
  static pyramid(arrays: readonly ZarrArray[]): PixelLevel[] {
    const [full] = arrays;
    if (!full) throw new Error('The image has no resolution levels.');
    const cache = createTileCache<PixelData>(TILES_KEPT);
    const tileSize = Math.max(...full.chunks.slice(-2));
    return arrays.map((array, level) => new PixelLevel(array, level, tileSize, cache));
  }

  getTile({ x, y, selection }: { x: number; y: number; selection: Plane }): Promise<PixelData> {
    const top = y * this.tileSize;
    const left = x * this.tileSize;
    const bottom = Math.min(this.height, top + this.tileSize);
    const right = Math.min(this.width, left + this.tileSize);
    // The grid follows the full resolution; an odd last row there has no counterpart here.
    if (bottom <= top || right <= left) return Promise.resolve({ data: new Uint8Array(0), width: 0, height: 0 });
    return this.cache.load(this.key(selection, x, y), () =>
      this.read(selection, zarr.slice(top, bottom), zarr.slice(left, right)),
    );
  }

  getRaster({ selection }: { selection: Plane }): Promise<PixelData> {
    return this.cache.load(this.key(selection, -1, -1), () => this.read(selection, null, null));
  }

  /** The value at a pixel of this level, if its tile has arrived. */
  peek(selection: Plane, x: number, y: number): number | undefined {
    const column = Math.floor(x / this.tileSize);
    const row = Math.floor(y / this.tileSize);
    const tile = this.cache.peek(this.key(selection, column, row));
    return tile?.data[(y - row * this.tileSize) * tile.width + (x - column * this.tileSize)];
  }

  // Errors reach the page through TileLayer's own handler.
  onTileError(): void {}

  private key({ t, c, z }: Plane, x: number, y: number): string {
    return `${this.level}/${t}/${c}/${z}/${y}/${x}`;
  }

  private async read(selection: Plane, y: zarr.Slice | null, x: zarr.Slice | null): Promise<PixelData> {
    const last = (axis: number) => (this.shape[axis] ?? 1) - 1;
    const hasChannels = this.shape.length === 5;
    const t = Math.min(selection.t, last(0));
    // Labels of a projection have one z for all of the image's.
    const z = Math.min(selection.z, last(hasChannels ? 2 : 1));
    const indices = hasChannels ? [t, selection.c, z, y, x] : [t, z, y, x];
    const { data, shape } = await zarr.get(this.array, indices);
    return { data: data as PixelData['data'], height: shape[0] ?? 0, width: shape[1] ?? 0 };
  }
}
