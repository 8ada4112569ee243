// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Pictures of all wells on the plate map: thumbnails of the originals, or label images in colours.
 *
 * One request brings all of them in one image. While a run goes on only the wells that were done since are asked for.
 */

import type { Api } from '../../shared/api';
import type { PlateMap, WellPicture } from '../../shared/platemap';

export type PictureKind = 'images' | 'labels';

export interface ThumbnailSheet {
  tile: number;
  columns: number;
  wells: string[];
  unreadable: string[];
  image: string;
}

interface LabelThumbnails extends ThumbnailSheet {
  names: string[];
  name: string;
  without: string[];
}

export interface PlatePictures {
  /** Show pictures on the plate, or no pictures with null. */
  show(kind: PictureKind | null): Promise<void>;
  /** A well is done: its label image is asked for, if label images are shown. */
  wellDone(well: string): void;
}

export interface PlatePicturesOptions {
  api: Api;
  map: PlateMap;
  plateId: number;
  executionId: string;
  onError: (message: string) => void;
  /** Milliseconds in which wells are gathered for one request. Default 300: within a second all are shown. */
  gather?: number;
}

const TILE = 64;

/** Where the picture of each well of a sheet lies. */
export function picturesOf(sheet: ThumbnailSheet, address: string): Map<string, WellPicture> {
  const lines = Math.max(1, Math.ceil(sheet.wells.length / sheet.columns));
  return new Map(
    sheet.wells.map((well, index) => [
      well,
      { address, column: index % sheet.columns, line: Math.floor(index / sheet.columns), columns: sheet.columns, lines },
    ]),
  );
}

export function createPlatePictures(options: PlatePicturesOptions): PlatePictures {
  const { api, map, plateId, executionId, onError, gather = 300 } = options;
  let shown: PictureKind | null = null;
  let addresses: string[] = [];
  let name: string | undefined;
  let due = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** A short address for a picture that came as text; hundreds of elements point at it. */
  async function addressOf(sheet: ThumbnailSheet): Promise<string> {
    if (!sheet.image) return '';
    const address = URL.createObjectURL(await (await fetch(sheet.image)).blob());
    addresses.push(address);
    return address;
  }

  async function add(kind: PictureKind, sheet: ThumbnailSheet, more: ReadonlyMap<string, string>): Promise<void> {
    const address = await addressOf(sheet);
    if (shown !== kind) return;
    const notes = new Map([...sheet.unreadable.map((well) => [well, 'cannot be read'] as const), ...more]);
    map.addPictures(picturesOf(sheet, address), notes);
  }

  async function addLabels(wells?: Iterable<string>): Promise<void> {
    const asked = wells ? [...wells].join(',') : null;
    const sheet = await api.get<LabelThumbnails>(`executions/${executionId}/label-thumbnails/`, {
      params: { size: TILE, wells: asked, name },
    });
    name ??= sheet.name || undefined;
    await add('labels', sheet, new Map(sheet.without.map((well) => [well, 'no label image'])));
  }

  function clear(): void {
    for (const address of addresses) URL.revokeObjectURL(address);
    addresses = [];
    due = new Set();
    clearTimeout(timer);
  }

  return {
    async show(kind) {
      clear();
      shown = kind;
      if (kind === null) {
        map.showPictures(null);
        return;
      }
      const title = kind === 'images' ? 'original' : 'label image';
      map.showPictures({ title, absent: kind === 'images' ? 'no image' : 'not computed yet' });
      try {
        if (kind === 'images') {
          const sheet = await api.get<ThumbnailSheet>(`plates/${plateId}/thumbnails/`, { params: { size: TILE } });
          await add('images', sheet, new Map());
        } else {
          await addLabels();
        }
      } catch (error) {
        if (shown === kind) onError((error as Error).message);
      }
    },
    wellDone(well) {
      if (shown !== 'labels') return;
      due.add(well);
      clearTimeout(timer);
      timer = setTimeout(() => {
        const wells = due;
        due = new Set();
        addLabels(wells).catch((error: unknown) => onError((error as Error).message));
      }, gather);
    },
  };
}
