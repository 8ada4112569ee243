// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../../shared/api';
import { createPlateMap, type PlateMap } from '../../shared/platemap';
import { createPlatePictures, picturesOf } from './plate-pictures';

const IMAGE = 'data:image/png;base64,AAAA';

function sheet(wells: string[], more: object = {}): object {
  return {
    tile: 64,
    columns: 2,
    wells,
    unreadable: [],
    image: wells.length > 0 ? IMAGE : '',
    names: ['nuclei'],
    name: 'nuclei',
    without: [],
    ...more,
  };
}

describe('pictures on the plate', () => {
  let map: PlateMap;
  let asked: { path: string; params: Record<string, unknown> }[];
  let answers: Record<string, object>;
  const problems: string[] = [];
  const api = {
    get: (path: string, { params }: { params: Record<string, unknown> }) => {
      asked.push({ path, params });
      const answer = Object.entries(answers).find(([part]) => path.includes(part))?.[1];
      return answer ? Promise.resolve(answer) : Promise.reject(new Error('no answer'));
    },
  } as unknown as Api;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('x')));
    URL.createObjectURL = () => 'blob:picture';
    URL.revokeObjectURL = () => undefined;
    document.body.replaceChildren();
    asked = [];
    problems.length = 0;
    answers = {};
    map = createPlateMap(document.body, { rows: 2, columns: 2, wells: ['A01', 'A02', 'B01'], label: 'Plate' });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const pictures = () =>
    createPlatePictures({ api, map, plateId: 7, executionId: 'e1', onError: (message) => problems.push(message) });
  const label = (well: string) => document.querySelector(`[data-well="${well}"]`)?.getAttribute('aria-label');
  const shown = () => document.querySelectorAll('.openhcs-platemap-picture').length;

  it('lie on the sheet line by line', () => {
    const found = picturesOf({ tile: 64, columns: 2, wells: ['A01', 'A02', 'B01'], unreadable: [], image: IMAGE }, 'blob:x');
    expect(found.get('B01')).toEqual({ address: 'blob:x', column: 0, line: 1, columns: 2, lines: 2 });
  });

  it('of originals come with one request, and wells without one say why', async () => {
    answers = { thumbnails: sheet(['A01'], { unreadable: ['A02'] }) };
    await pictures().show('images');
    expect(asked.map((each) => each.path)).toEqual(['plates/7/thumbnails/']);
    expect(shown()).toBe(1);
    expect(label('A01')).toBe('A01, original');
    expect(label('A02')).toBe('A02, original: cannot be read');
    expect(label('B01')).toBe('B01, original: no image');
    expect(document.querySelector('.openhcs-platemap-legend')?.textContent).toContain('cannot be read (1)');
  });

  it('of results are asked for only where a well was done since', async () => {
    answers = { 'label-thumbnails': sheet(['A01']) };
    const plate = pictures();
    await plate.show('labels');
    expect(label('A02')).toBe('A02, label image: not computed yet');
    answers = { 'label-thumbnails': sheet(['A02'], { without: ['B01'] }) };
    plate.wellDone('A02');
    plate.wellDone('B01');
    await vi.advanceTimersByTimeAsync(999);
    expect(asked.map((each) => each.params.wells)).toEqual([null, 'A02,B01']);
    expect(asked[1]?.params.name).toBe('nuclei');
    expect(shown()).toBe(2);
    expect(label('B01')).toBe('B01, label image: no label image');
  });

  it('go away for states and heat maps, and ask for nothing then', async () => {
    answers = { thumbnails: sheet(['A01', 'A02', 'B01']) };
    const plate = pictures();
    await plate.show('images');
    await plate.show(null);
    plate.wellDone('A01');
    await vi.advanceTimersByTimeAsync(2000);
    expect([shown(), asked.length]).toEqual([0, 1]);
  });

  it('that cannot be had are told, and the plate stays', async () => {
    await pictures().show('images');
    expect(problems).toEqual(['no answer']);
    expect(label('A01')).toBe('A01, original: no image');
  });

  it('stand back where chosen rows are elsewhere', () => {
    map.setHighlighted(new Set(['A02']));
    expect(label('A02')).toBe('A02, holds chosen rows');
    expect(document.querySelector('[data-well="A01"]')?.classList.contains('openhcs-platemap-faded')).toBe(true);
    map.setHighlighted(null);
    expect(document.querySelectorAll('.openhcs-platemap-faded')).toHaveLength(0);
  });
});
