// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Api, ApiError } from '../../shared/api';
import { markControls, withRole, wordsOf } from './controls-dialog';
import { createHeatOptions } from './heat-options';
import { showQuality, sourceOf } from './quality';
import { followQuality } from './quality-live';
import type { ControlStatistics, MeasurementQuality, PlateControls, QualityReport } from './quality-report';
import { marksOf } from './well-marks';

const CONTROLS: ControlStatistics = {
  positive_wells: 8,
  negative_wells: 7,
  positive_mean: 100,
  negative_mean: 20,
  positive_cv: 8.16497,
  negative_cv: null,
  z_prime: 0.632577,
  z_prime_robust: 0.6664,
  ssmd: 9.6077,
  ssmd_robust: null,
  signal_window: 6.198,
  verdict: 'excellent',
  notes: [],
};

const MEASURED: MeasurementQuality = {
  name: 'gain',
  wells: 90,
  missing: 1,
  controls: CONTROLS,
  edge: { found: true, note: 'Edge effect: higher.' },
  drift: [{ found: false, note: 'No drift along rows is seen.' }],
  b_scores: { A02: 1.5 },
  b_score_note: '',
};

const KNOWN: PlateControls = {
  plate_id: 5,
  source: 'own',
  marked_by: 'Ada',
  shared: true,
  may_share: true,
  wells: [
    { well: 'A01', role: 'negative', compound: 'DMSO', concentration: '' },
    { well: 'A02', role: 'treatment', compound: 'X', concentration: '3 nM' },
  ],
};

function report(changes: Partial<QualityReport> = {}, controls: Partial<ControlStatistics> = {}): QualityReport {
  return {
    execution_id: 'e1',
    wells_total: 96,
    wells_used: 91,
    positive_wells: 8,
    negative_wells: 8,
    measurements: [{ ...MEASURED, controls: { ...CONTROLS, ...controls } }],
    flags: [],
    controls: KNOWN,
    ...changes,
  };
}

let host: HTMLElement;
beforeEach(() => {
  document.body.replaceChildren();
  host = document.body.appendChild(document.createElement('div'));
});

const figure = (name: string) => host.querySelector(`[data-figure="${name}"]`)?.textContent;

describe('the quality panel', () => {
  it('says the figures, how many wells they are from, and what they mean', () => {
    showQuality(host, { report: report(), title: 'Gain', onWell: vi.fn() });
    expect(figure('z_prime')).toBe('0.633');
    expect([figure('positive_cv'), figure('negative_cv'), figure('ssmd_robust')]).toEqual(['8.16 %', '–', '–']);
    expect(host.querySelector('.oh-verdict')?.textContent).toContain('excellent assay');
    expect(host.textContent).toContain('8 of 8 positive control wells and 7 of 8 negative ones, and 91 of 96 wells');
    expect(host.querySelector('.oh-effect-found')?.textContent).toBe('Edge effect: higher.');
    expect(host.textContent).toContain('1 well that is done has no value');
  });

  it.each([
    ['marginal', 'hits need repeats'],
    ['unusable', 'controls overlap'],
  ] as const)('has words for a %s assay', (verdict, words) => {
    showQuality(host, { report: report({}, { verdict }), title: 'Gain', onWell: vi.fn() });
    expect(host.querySelector(`.oh-verdict-${verdict}`)?.textContent).toContain(words);
  });

  it('shows a dash and the reason where there is no figure, and never a zero', () => {
    const nothing = {
      z_prime: null,
      ssmd: null,
      signal_window: null,
      verdict: null,
      notes: ['No control well has a value yet.'],
    };
    showQuality(host, { report: report({}, nothing), title: 'Gain', onWell: vi.fn() });
    expect([figure('z_prime'), figure('ssmd'), figure('signal_window')]).toEqual(['–', '–', '–']);
    expect(host.querySelector('.oh-verdict')).toBeNull();
    expect(host.textContent).toContain('No control well has a value yet.');
  });

  it('waits for the first well', () => {
    showQuality(host, { report: report({ measurements: [] }), title: 'Gain', onWell: vi.fn() });
    expect(host.textContent).toContain('when the first well is done');
  });

  it('leads from an image to its well, and keeps the focus when it is drawn again', () => {
    const onWell = vi.fn();
    const flags = Array.from({ length: 33 }, (_, n) => ({ well: `A${n}`, field: 1, kind: 'saturated' as const, message: 'm' }));
    showQuality(host, { report: report({ flags }), title: 'Gain', onWell });
    const button = host.querySelector<HTMLButtonElement>('[data-flag="A7-1-saturated"]');
    button?.click();
    expect(onWell).toHaveBeenCalledWith('A7');
    button?.focus();
    showQuality(host, { report: report({ flags }), title: 'Gain', onWell });
    expect((document.activeElement as HTMLElement).dataset.flag).toBe('A7-1-saturated');
    expect(host.querySelectorAll('[data-flag]')).toHaveLength(30);
    expect(host.textContent).toContain('and 3 more');
  });

  it('says whose marks they are', () => {
    expect(sourceOf(null)).toContain('cannot be read');
    expect(sourceOf(KNOWN)).toContain('for everybody');
    expect(sourceOf({ ...KNOWN, shared: false })).toContain('for yourself alone');
    expect(sourceOf({ ...KNOWN, source: 'plate_owner' })).toContain('Ada, the owner');
    expect(sourceOf({ ...KNOWN, source: 'colleague', marked_by: '' })).toContain('somebody');
    expect(sourceOf({ ...KNOWN, source: 'annotations' })).toContain('annotations');
    expect(sourceOf({ ...KNOWN, source: 'none' })).toContain('Mark them');
  });
});

describe('asking for the quality', () => {
  it('asks one question at a time and forgets answers to what is not chosen any more', async () => {
    vi.useFakeTimers();
    const answers: ((value: QualityReport) => void)[] = [];
    const get = vi.fn(() => new Promise<QualityReport>((resolve) => answers.push(resolve)));
    const onReport = vi.fn();
    const live = followQuality({ api: { get } as unknown as Api, executionId: 'e1', onReport, onError: vi.fn() });
    live.ask('area');
    live.ask('area');
    await vi.advanceTimersByTimeAsync(0);
    expect(get).toHaveBeenCalledTimes(1);
    expect(get).toHaveBeenCalledWith('executions/e1/quality/', { params: { measurement: 'area' } });
    live.ask('count');
    await vi.advanceTimersByTimeAsync(0);
    expect(get).toHaveBeenCalledTimes(1);
    answers[0]?.(report());
    await vi.advanceTimersByTimeAsync(0);
    expect(onReport).not.toHaveBeenCalled();
    expect(get).toHaveBeenLastCalledWith('executions/e1/quality/', { params: { measurement: 'count' } });
    answers[1]?.(report());
    await vi.advanceTimersByTimeAsync(0);
    expect(onReport).toHaveBeenCalledTimes(1);
    // Wells that finish meanwhile wait for the interval.
    live.ask('count');
    await vi.advanceTimersByTimeAsync(2900);
    expect(get).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(get).toHaveBeenCalledTimes(3);
    vi.useRealTimers();
  });

  it('asks a slow server less often', async () => {
    vi.useFakeTimers();
    const slow = () => new Promise<QualityReport>((resolve) => setTimeout(() => resolve(report()), 2000));
    const get = vi.fn(slow);
    const live = followQuality({ api: { get } as unknown as Api, executionId: 'e1', onReport: vi.fn(), onError: vi.fn() });
    live.ask('area');
    await vi.advanceTimersByTimeAsync(2100);
    live.ask('area');
    await vi.advanceTimersByTimeAsync(7800);
    expect(get).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(get).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });

  it('tells an error and goes on', async () => {
    vi.useFakeTimers();
    const get = vi.fn().mockRejectedValueOnce(new Error('no answer')).mockResolvedValueOnce(report());
    const [onReport, onError] = [vi.fn(), vi.fn()];
    const live = followQuality({ api: { get } as unknown as Api, executionId: 'e1', onReport, onError });
    live.ask('area');
    await vi.advanceTimersByTimeAsync(1);
    expect(onError).toHaveBeenCalledTimes(1);
    live.refresh();
    await vi.advanceTimersByTimeAsync(1);
    expect(onReport).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});

describe('options of the heat map', () => {
  function options(onChange = vi.fn()) {
    host.innerHTML = `<details id="oh-heat-options" hidden>
      <select id="oh-heat-values"><option value="measured"></option><option value="scores"></option></select>
      <select id="oh-heat-scale"><option value="viridis"></option><option value="cividis"></option></select>
      <select id="oh-heat-limits"><option value="robust"></option><option value="full"></option><option value="manual"></option></select>
      <span id="oh-heat-manual" hidden><input id="oh-heat-low" type="number"><input id="oh-heat-high" type="number"></span>
      <input type="checkbox" id="oh-heat-log"><p id="oh-heat-problem" hidden></p></details>`;
    return { made: createHeatOptions(onChange), onChange };
  }

  function set(id: string, value: string): void {
    const control = document.getElementById(id) as HTMLInputElement;
    control.value = value;
    control.dispatchEvent(new Event('change', { bubbles: true }));
  }

  it('begin with robust limits of the values on viridis', () => {
    const { made } = options();
    expect(made.read()).toEqual({ scale: 'viridis', limits: 'robust', logarithmic: false, scores: false });
    made.setVisible(true);
    expect(host.querySelector<HTMLElement>('#oh-heat-options')?.hidden).toBe(false);
  });

  it('take limits by hand once they make sense', () => {
    const { made, onChange } = options();
    set('oh-heat-limits', 'manual');
    expect(document.getElementById('oh-heat-manual')?.hidden).toBe(false);
    set('oh-heat-low', '5');
    expect(made.read().limits).toBe('robust');
    set('oh-heat-high', '2');
    expect(document.getElementById('oh-heat-problem')?.textContent).toContain('below');
    set('oh-heat-high', '9.5');
    expect(made.read().limits).toEqual({ low: 5, high: 9.5 });
    expect(document.getElementById('oh-heat-problem')?.hidden).toBe(true);
    expect(onChange).toHaveBeenCalledTimes(4);
  });

  it('have no logarithm of B-scores', () => {
    const { made } = options();
    (document.getElementById('oh-heat-log') as HTMLInputElement).checked = true;
    expect(made.read().logarithmic).toBe(true);
    set('oh-heat-values', 'scores');
    expect(made.read()).toMatchObject({ logarithmic: false, scores: true });
  });
});

describe('marking control wells', () => {
  it('gives a role, keeps compounds, and does not list plain treatments', () => {
    const wells = withRole(KNOWN.wells, ['A01', 'A02', 'B01'], 'positive');
    expect(wells.map((entry) => [entry.well, entry.role, entry.compound])).toEqual([
      ['A01', 'positive', 'DMSO'],
      ['A02', 'positive', 'X'],
      ['B01', 'positive', ''],
    ]);
    expect(withRole(wells, ['A02', 'B01'], 'treatment').map((entry) => entry.well)).toEqual(['A01', 'A02']);
    expect([...marksOf(KNOWN.wells)]).toEqual([['A01', 'negative']]);
  });

  function open(post: Api['post']): { dialog: HTMLDialogElement; onSaved: ReturnType<typeof vi.fn> } {
    // jsdom knows no modal dialogs.
    HTMLDialogElement.prototype.showModal = function show(this: HTMLDialogElement) {
      this.open = true;
    };
    HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement) {
      this.open = false;
      this.dispatchEvent(new Event('close'));
    };
    const onSaved = vi.fn();
    const wells = ['A01', 'A02', 'B01'];
    markControls({ api: { post } as unknown as Api, plateId: 5, rows: 2, columns: 3, wells, known: KNOWN, onSaved });
    return { dialog: document.querySelector('dialog') as HTMLDialogElement, onSaved };
  }

  const press = (dialog: HTMLElement, words: string) =>
    [...dialog.querySelectorAll('button')].find((button) => button.textContent === words)?.click();

  it('saves what was chosen, and only then', async () => {
    const post = vi.fn().mockResolvedValue(KNOWN);
    const { dialog, onSaved } = open(post);
    press(dialog, 'Positive control');
    expect(dialog.querySelector('[role=alert]')?.textContent).toContain('Choose wells');
    dialog.querySelector('[data-well="B01"]')?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    press(dialog, 'Positive control');
    expect(dialog.querySelector('[data-well="B01"]')?.getAttribute('aria-label')).toContain('positive control');
    expect(post).not.toHaveBeenCalled();
    press(dialog, 'Save');
    await vi.waitFor(() => expect(onSaved).toHaveBeenCalledWith(KNOWN));
    expect(post.mock.calls[0]?.[0]).toBe('plates/5/controls/');
    const sent = post.mock.calls[0]?.[1] as { wells: { well: string; role: string }[] };
    expect(sent.wells.map((entry) => `${entry.well} ${entry.role}`)).toEqual(['A01 negative', 'A02 treatment', 'B01 positive']);
    expect(document.querySelector('dialog')).toBeNull();
  });

  it('stays open with the wrong lines of a file', async () => {
    const wrong = { 'line 2': 'no well', 'line 5': 'no role' };
    const post = vi.fn().mockRejectedValue(new ApiError('invalid_controls', 'Line 2: no well.', 422, wrong));
    const { dialog, onSaved } = open(post);
    press(dialog, 'Save');
    await vi.waitFor(() => expect(dialog.querySelector('[role=alert]')?.textContent).toBe('line 2: no well\nline 5: no role'));
    expect(onSaved).not.toHaveBeenCalled();
    press(dialog, 'Cancel');
    expect(document.querySelector('dialog')).toBeNull();
    expect(wordsOf(new Error('Something else.'))).toBe('Something else.');
  });
});
