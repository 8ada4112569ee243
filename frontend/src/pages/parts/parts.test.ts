// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';
import type { Event, WellExecution } from '../../shared/contracts';
import { figuresOf, ordered } from './figures';
import { failureBox } from './failure-box';
import { count, formatMoment, formatRemaining, formatSeconds, formatValue, humanised, unitOf } from './format';
import { outlines, reductionOf } from './label-overlay';
import { countWells, foldWell, wellDetail } from './well-states';

const WELL: WellExecution = {
  well: 'A01',
  row: 0,
  column: 0,
  well_id: 1,
  state: 'waiting',
  attempt: 0,
  step: 0,
  step_count: 0,
  step_name: '',
  seconds: null,
  worker: null,
  started_at: null,
  ended_at: null,
  failure: null,
  reused_steps: 0,
  measurements: {},
};

function event(kind: string, data: Record<string, unknown> = {}): Event {
  return { sequence: 1, time: '2026-01-01T00:00:00Z', kind, well: 'A01', data };
}

describe('wells by events', () => {
  it('goes through the states of a run', () => {
    let well = foldWell(WELL, event('well_staging'));
    expect(well.state).toBe('staging');
    well = foldWell(well, event('well_step', { step: 2, step_count: 3, step_name: 'Find nuclei' }));
    expect(wellDetail(well)).toBe('step 2 of 3: Find nuclei');
    well = foldWell(well, event('well_done', { seconds: 1.5, measurements: { nuclei: 4 } }));
    expect([well.state, well.seconds, well.measurements]).toEqual(['done', 1.5, { nuclei: 4 }]);
  });

  it('forgets a failure when the well is tried again', () => {
    const failure = { cause: 'time_limit', message: 'Too slow.', remedy: '', traceback: '' };
    const failed = foldWell(WELL, event('well_failed', { failure }));
    expect([failed.state, wellDetail(failed)]).toEqual(['failed', 'Too slow.']);
    const again = foldWell(failed, event('well_retried'));
    expect([again.state, again.failure]).toEqual(['waiting', null]);
  });

  it('leaves a well alone at events that are not about its state', () => {
    expect(foldWell(WELL, event('saving')).state).toBe('waiting');
  });

  it('counts', () => {
    const wells = (['done', 'done', 'failed', 'skipped', 'running'] as const).map((state) => ({ ...WELL, state }));
    expect(countWells(wells)).toEqual({ wells_total: 5, wells_completed: 2, wells_failed: 1, wells_skipped: 1 });
  });
});

describe('writing numbers and times', () => {
  it.each([
    [null, '–'],
    [Number.NaN, '–'],
    [0, '0'],
    [12345, '12,345'],
    [0.123456, '0.1235'],
    [398619.234, '398,619.2'],
    [0.00001234, '1.234e-5'],
    ['A01', 'A01'],
  ])('%s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it('is as exact as an estimate can be', () => {
    expect(formatRemaining(-5)).toBe('a few seconds');
    expect(formatRemaining(34_000)).toBe('about 30 s');
    expect(formatRemaining(180_000)).toBe('about 3 min');
    expect(formatRemaining(3_900_000)).toBe('about 1 h 5 min');
  });

  it('writes moments and spans', () => {
    const now = new Date('2026-03-02T12:00:00');
    expect(formatMoment('2026-03-02T08:05:00', now)).toBe('today, 08:05');
    expect(formatMoment('2026-03-01T08:05:00', now)).toBe('1 Mar, 08:05');
    expect(formatMoment('2025-03-01T08:05:00', now)).toBe('1 Mar 2025, 08:05');
    expect(formatMoment('never', now)).toBe('never');
    expect([formatSeconds(1.62), formatSeconds(59.6), formatSeconds(125)]).toEqual(['1.6 s', '1 min 0 s', '2 min 5 s']);
  });

  it('names things', () => {
    expect([count(1, 'well'), count(2, 'well'), humanised('mean_intensity')]).toEqual(['1 well', '2 wells', 'Mean intensity']);
    expect(unitOf({ title: 'Nuclei', unit: 'nuclei' })).toBe('');
    expect(unitOf({ title: 'Nucleus area', unit: 'pixels²' })).toBe('pixels²');
  });
});

describe('figures', () => {
  const measurements = ['area', 'count'].map((name) => ({ name, title: name, level: 'well' as const, unit: null, help: '' }));

  it('puts the main measurement first and unknown ones last', () => {
    expect(ordered(['extra', 'area', 'count'], measurements, 'count')).toEqual(['count', 'area', 'extra']);
  });

  it('shows a missing value as a dash', () => {
    const { headline, others } = figuresOf({ count: null, area: 3 }, measurements, 'count');
    expect(headline?.querySelector('strong')?.textContent).toBe('–');
    expect(others?.textContent).toContain('3');
  });

  it('has nothing to show for a well without measurements', () => {
    expect(figuresOf({}, measurements, 'count')).toEqual({ headline: null, others: null });
  });
});

describe('outlines of label images', () => {
  it('follow the edges of objects, also between touching ones', () => {
    const values = new Int32Array([0, 0, 0, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 0, 0, 0]);
    const { width, on } = outlines({ width: 4, height: 4, values });
    expect(width).toBe(4);
    expect([...on]).toEqual([0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('keep every object when drawn smaller', () => {
    const side = 2000;
    const values = new Int32Array(side * side);
    values[1234 * side + 567] = 1;
    const { width, height, on } = outlines({ width: side, height: side, values });
    expect(reductionOf(side, side)).toBe(3);
    expect([width, height]).toEqual([667, 667]);
    expect(on.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(0);
  });

  it('draw nothing for an empty field', () => {
    expect(outlines({ width: 3, height: 2, values: new Int32Array(6) }).on.every((value) => value === 0)).toBe(true);
  });
});

describe('a failure', () => {
  it('says what and what to do first; the traceback is folded', () => {
    const box = failureBox({
      cause: 'out_of_memory',
      message: 'Too big.',
      remedy: 'Use fewer fields.',
      traceback: '<b>Trace</b>',
    });
    expect(box.textContent).toContain('Out of memory');
    expect(box.textContent).toContain('Use fewer fields.');
    expect(box.querySelector('details')?.open).toBe(false);
    expect(box.querySelector('b')).toBeNull();
  });
});
