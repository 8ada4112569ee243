// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../shared/api';
import { colourTile, objectColour } from './label-colours';
import { findLabels, type LabelTile, wholePyramid } from './labels';

function tileOf(rows: number[][]): LabelTile {
  return { data: Int32Array.from(rows.flat()), width: rows[0]?.length ?? 0, height: rows.length };
}

/** Which pixels are coloured, as rows of 0 and 1. */
function coloured(tile: LabelTile, style: 'fill' | 'outline'): number[][] {
  const pixels = colourTile(tile, style);
  return Array.from({ length: tile.height }, (_, y) =>
    Array.from({ length: tile.width }, (_, x) => (pixels[4 * (y * tile.width + x) + 3] ? 1 : 0)),
  );
}

describe('colours of objects', () => {
  it('fills objects and leaves the background transparent', () => {
    expect(
      coloured(
        tileOf([
          [0, 3],
          [3, 0],
        ]),
        'fill',
      ),
    ).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('outlines objects against the background and against each other', () => {
    const tile = tileOf([
      [0, 0, 0, 0, 0, 0],
      [0, 1, 1, 1, 2, 0],
      [0, 1, 1, 1, 2, 0],
      [0, 1, 1, 1, 2, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
    expect(coloured(tile, 'outline')).toEqual([
      [0, 0, 0, 0, 0, 0],
      [0, 1, 1, 1, 1, 0],
      [0, 1, 0, 1, 1, 0],
      [0, 1, 1, 1, 1, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  it('draws no line along the edge of a tile that an object crosses', () => {
    expect(
      coloured(
        tileOf([
          [5, 5, 5],
          [5, 5, 5],
        ]),
        'outline',
      ).flat(),
    ).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('gives neighbouring numbers clearly different colours that stand out from black', () => {
    for (let id = 1; id < 2000; id += 1) {
      const colour = objectColour(id);
      const next = objectColour(id + 1);
      const distance = Math.hypot(...colour.map((part, channel) => part - (next[channel] ?? 0)));
      expect(distance, `objects ${id} and ${id + 1}`).toBeGreaterThan(60);
      expect(Math.max(...colour)).toBeGreaterThan(100);
      expect(Math.min(...colour)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...colour)).toBeLessThanOrEqual(255);
    }
  });
});

describe('a label image in memory', () => {
  const width = 1100;
  const height = 601;
  const values = Int32Array.from({ length: width * height }, (_, index) => index);
  const pyramid = wholePyramid({ width, height, values });

  it('has levels down to one tile', () => {
    expect(pyramid.levels.map((level) => [level.width, level.height])).toEqual([
      [1100, 601],
      [550, 300],
      [275, 150],
    ]);
  });

  it('is cut into tiles without losing or mixing objects', async () => {
    const tile = await pyramid.tile(0, 2, 1, { t: 0, c: 0, z: 0 });
    expect([tile.width, tile.height]).toEqual([76, 89]);
    expect(tile.data[0]).toBe(512 * width + 1024);
    expect(tile.data.at(-1)).toBe(600 * width + 1099);
    const small = await pyramid.tile(2, 0, 0, { t: 0, c: 0, z: 0 });
    expect(small.data[1]).toBe(4);
    expect(small.data[small.width]).toBe(4 * width);
  });

  it('has empty tiles beyond its edge', async () => {
    const tile = await pyramid.tile(1, 1, 1, { t: 0, c: 0, z: 0 });
    expect([tile.width, tile.height, tile.data.length]).toEqual([38, 0, 0]);
  });

  it('knows the object at a pixel', () => {
    expect(pyramid.objectAt(3, 2, { t: 0, c: 0, z: 0 })).toBe(2 * width + 3);
    expect(pyramid.objectAt(-1, 0, { t: 0, c: 0, z: 0 })).toBeUndefined();
    expect(pyramid.objectAt(1100, 0, { t: 0, c: 0, z: 0 })).toBeUndefined();
  });
});

describe('where labels come from', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** Answers by the end of the address; anything else is absent. */
  function serve(answers: Record<string, unknown>): string[] {
    const asked: string[] = [];
    vi.stubGlobal(
      'Request',
      class {
        constructor(readonly url: string) {}
      },
    );
    vi.stubGlobal('fetch', async (request: { url: string } | string) => {
      const url = typeof request === 'string' ? request : request.url;
      asked.push(url);
      const key = Object.keys(answers).find((end) => url.endsWith(end));
      return key
        ? new Response(JSON.stringify(answers[key]))
        : new Response('{"error": {"code": "x", "message": "absent"}}', { status: 404 });
    });
    return asked;
  }

  const api = createApi('/openhcs/api/v1/', (...given) => fetch(...given));
  const saved = {
    labels: ['nuclei', 'cells', 'nuclei.old'],
    openhcs: {
      labels: {
        nuclei: { execution_id: 'new', name: 'nuclei' },
        cells: { execution_id: 'new', name: 'cells' },
        'nuclei.old': { execution_id: 'old', name: 'nuclei' },
      },
    },
  };

  it('lists what is saved in OMERO, and tells executions apart where names repeat', async () => {
    serve({ 'labels/.zattrs': saved });
    const choices = await findLabels({ zarr: '/z/1.zarr/' });
    expect(choices.map(({ title }) => title)).toEqual([
      'nuclei (execution new)',
      'cells (execution new)',
      'nuclei (execution old)',
    ]);
  });

  it('lists only those of the execution that was asked for', async () => {
    serve({ 'labels/.zattrs': saved });
    const choices = await findLabels({ zarr: '/z/1.zarr', execution: 'old', api, well: 'A01', field: 1 });
    expect(choices.map(({ title }) => title)).toEqual(['nuclei']);
  });

  it('asks the service for an execution that saved nothing, and takes the labels of this field', async () => {
    const asked = serve({
      'wells/A01/labels/': [
        { field: 1, name: 'nuclei', objects: 3, omero_image_id: null },
        { field: 2, name: 'nuclei', objects: 5, omero_image_id: null },
      ],
    });
    const choices = await findLabels({ zarr: '/z/1.zarr/', execution: 'test', api, well: 'A01', field: 2 });
    expect(choices.map(({ title }) => title)).toEqual(['nuclei']);
    expect(asked.at(-1)).toContain('/openhcs/api/v1/executions/test/wells/A01/labels/');
  });

  it('has nothing to choose from when the execution did not run this well', async () => {
    serve({});
    expect(await findLabels({ zarr: '/z/1.zarr/', execution: 'test', api, well: 'A01', field: 1 })).toEqual([]);
  });
});
