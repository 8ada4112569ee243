// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';
import { timeLeft } from './time-left';

const now = Date.parse('2026-11-25T12:00:00Z');
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
const said = (middle: number, low: number, high: number) =>
  timeLeft({ estimated_completion: at(middle), earliest_completion: at(low), latest_completion: at(high) }, now);

describe('timeLeft', () => {
  it.each([
    [720, 600, 900, 'about 12 min left (10 to 15)'],
    [30, 20, 40, 'about 30 s left (20 to 40)'],
    [50, 30, 180, 'about 50 s left (30 s to 3 min)'],
    [62, 20, 120, 'about 1 min left (20 s to 2 min)'],
    [7200, 6000, 9000, 'about 2 h 0 min left (1 h 40 min to 2 h 30 min)'],
    [700, 690, 705, 'about 12 min left'],
    [4, 1, 30, 'a few seconds left'],
    [-5, -9, 3, 'a few seconds left'],
  ])('%d s, between %d and %d', (middle, low, high, words) => {
    expect(said(middle, low, high)).toBe(words);
  });

  it('says nothing without a forecast, and no interval without one', () => {
    expect(timeLeft({ estimated_completion: null, earliest_completion: null, latest_completion: null }, now)).toBe('');
    expect(timeLeft({ estimated_completion: at(600), earliest_completion: null, latest_completion: null }, now)).toBe(
      'about 10 min left',
    );
  });
});
