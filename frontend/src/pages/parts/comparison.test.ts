// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';
import { compareWells, median, sharedNames, symmetricLimits } from './comparison';

describe('comparing wells', () => {
  it('pairs what both have, the largest change first, whatever its sign', () => {
    const found = compareWells({ A01: 1, A02: 5, A03: 3, A04: null, A05: 2 }, { A01: 1, A02: 2, A03: 7, A04: 4, A06: 1 });
    expect(found.pairs.map((pair) => [pair.well, pair.difference])).toEqual([
      ['A03', 4],
      ['A02', -3],
      ['A01', 0],
    ]);
    expect([found.onlyBefore, found.onlyAfter, found.unchanged]).toEqual([['A05'], ['A04', 'A06'], 1]);
    expect(found.medianDifference).toBe(0);
  });

  it('correlates as it should', () => {
    // By hand: x = 1 2 3 4, y = 2 4 5 4; r = 3.5 / sqrt(5 * 4.75).
    const found = compareWells({ A: 1, B: 2, C: 3, D: 4 }, { A: 2, B: 4, C: 5, D: 4 });
    expect(found.correlation).toBeCloseTo(3.5 / Math.sqrt(5 * 4.75), 12);
    const large = compareWells({ A: 1e9 + 1, B: 1e9 + 2, C: 1e9 + 3 }, { A: 2, B: 4, C: 6 });
    expect(large.correlation).toBeCloseTo(1, 9);
  });

  it('says nothing where there is nothing to say', () => {
    expect(compareWells({}, {})).toMatchObject({ pairs: [], correlation: null, medianDifference: null });
    expect(compareWells({ A: 1, B: 2 }, { A: 1, B: 2 }).correlation).toBeNull();
    expect(compareWells({ A: 1, B: 1, C: 1 }, { A: 1, B: 2, C: 3 }).correlation).toBeNull();
    expect(compareWells({ A: Number.NaN }, { A: 1 }).onlyAfter).toEqual(['A']);
  });

  it('has its middle at no change', () => {
    expect(symmetricLimits(compareWells({ A: 1, B: 1 }, { A: 4, B: 0 }).pairs)).toEqual({ low: -3, high: 3 });
    expect(symmetricLimits([])).toEqual({ low: -1, high: 1 });
  });

  it('names measurements that one of them lacks', () => {
    expect(sharedNames(['count', 'area'], ['area', 'mean'])).toEqual({
      both: ['area'],
      onlyBefore: ['count'],
      onlyAfter: ['mean'],
    });
  });

  it('takes the middle of an even number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
