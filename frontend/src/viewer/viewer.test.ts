// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it, vi } from 'vitest';
import { mountViewer } from './mount';
import { scaleBar } from './scale-bar';
import { createTileCache } from './tile-cache';

describe('scale bar', () => {
  it.each([
    [0.65, 0, 120, '50 µm'],
    [0.65, 3, 120, '5 µm'],
    [0.65, -4, 120, '1 mm'],
    [0.02, 4, 120, '100 nm'],
    [1, 0, 100, '100 µm'],
    [null, 0, 120, '100 px'],
    [null, 1, 120, '50 px'],
  ])('with %s µm per pixel at zoom %s and room for %s is %s', (pixelSize, zoom, room, text) => {
    const bar = scaleBar(pixelSize, zoom, room);
    expect(bar.text).toBe(text);
    expect(bar.length).toBeLessThanOrEqual(room + 1e-6);
    expect(bar.length).toBeGreaterThan(room / 2.6);
  });
});

describe('tile cache', () => {
  it('asks once for a tile that several panels want', async () => {
    const cache = createTileCache<number>(10);
    const read = vi.fn(async () => 7);
    expect(await Promise.all([cache.load('a', read), cache.load('a', read)])).toEqual([7, 7]);
    expect(read).toHaveBeenCalledTimes(1);
    expect(cache.peek('a')).toBe(7);
  });

  it('asks again for a tile that failed', async () => {
    const cache = createTileCache<number>(10);
    await expect(cache.load('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await cache.load('a', async () => 1)).toBe(1);
  });

  it('forgets the least recently used', async () => {
    const cache = createTileCache<string>(2);
    for (const key of ['a', 'b', 'a', 'c']) await cache.load(key, async () => key);
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual(['a', undefined, 'c']);
  });
});

describe('without WebGL 2', () => {
  it('says so in words and asks for nothing', async () => {
    vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
    const fetcher = vi.spyOn(globalThis, 'fetch');
    const host = document.createElement('div');
    await mountViewer(host, { zarr: '/z/1.zarr/' });
    expect(host.querySelector('[role=alert]')?.textContent).toContain('WebGL 2');
    expect(fetcher).not.toHaveBeenCalled();
  });
});
