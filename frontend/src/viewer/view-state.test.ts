// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';
import { automaticLimits, fullLimits, histogram } from './histogram';
import type { ImageModel } from './ome-zarr';
import { fileName } from './picture';
import { initialState } from './store';
import { decodeView, encodeView } from './view-state';

const channel = { label: 'DAPI', colour: '#0000ff', active: true, window: { start: 0, end: 100, min: 0, max: 255 } };
const image = { channels: [channel, channel], sizeZ: 3, sizeT: 2, defaultZ: 0, defaultT: 0 } as unknown as ImageModel;

describe('the link to a view', () => {
  it('brings back the same view', () => {
    const state = {
      ...initialState(image),
      z: 2,
      t: 1,
      panels: ['labels', 'outlines'] as const,
      labels: {} as never,
      labelName: 'nuclei',
      labelOpacity: 0.25,
      selected: 17,
      channels: [
        { visible: false, colour: '#ff8000', limits: [12.5, 4000] as [number, number] },
        { visible: true, colour: '#00ff00', limits: [-1e-7, 0.25] as [number, number] },
      ],
    };
    const link = decodeView(`#${encodeView(state, { target: [512.25, 80], zoom: -1.5 })}`, image);
    expect(link.sight?.target[0]).toBeCloseTo(512.25, 0);
    expect(link.sight?.zoom).toBe(-1.5);
    expect(link).toMatchObject({
      z: 2,
      t: 1,
      panels: ['labels', 'outlines'],
      labelName: 'nuclei',
      labelOpacity: 0.25,
      selected: 17,
    });
    expect(link.channels).toEqual(state.channels);
  });

  it.each([
    '',
    '#',
    '#at=1,2&z=9&t=-1&panels=x&fill=101&object=0&c=red',
    '#at=NaN,1,1&c=00ff00~5~1,00ff00~0~1,00ff00~0~1&object=1e9',
    '#z=1.5&t=99999999999999999999&c=%3Cscript%3E~0~1',
  ])('leaves out what does not fit: %s', (hash) => {
    expect(decodeView(hash, image)).toEqual({});
  });
});

describe('intensities', () => {
  it('are counted in equal bins, what lies beyond in the outermost, what is no number nowhere', () => {
    expect(histogram([0, 1, 2, 3, 9, -5, Number.NaN, Number.POSITIVE_INFINITY], 0, 4, 4)).toEqual([2, 1, 1, 2]);
  });

  it('give limits that a constant image and one without numbers survive', () => {
    expect(fullLimits([5, 5, 5])).toEqual([5, 6]);
    expect(automaticLimits([5, 5, 5])).toEqual([5, 6]);
    expect(fullLimits([Number.NaN])).toBeNull();
    expect(automaticLimits([Number.NaN])).toBeNull();
    expect(fullLimits([-2.5, 7])).toEqual([-2.5, 7]);
    const values = Array.from({ length: 1000 }, (_, index) => index);
    expect(automaticLimits([...values, 1e6])?.[1]).toBeLessThan(1000);
  });
});

it('names a picture so that every file system takes it', () => {
  expect(fileName('Plate 1/B03: "GFP" µm')).toBe('Plate_1_B03_GFP_µm');
  expect(fileName('///')).toBe('_');
});
