// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';
import type { CheckState, GoldenCheck, GoldenWellCheck, MeasurementDifference } from '../../shared/contracts';
import { checkTable } from './golden-check';
import { chosenMeasurements, defaultTolerance } from './golden-record';
import { sharingQuestion } from './sharing-question';

const LINKS = { results: '/openhcs/results/', omero: '/webclient/' };

function difference(changes: Partial<MeasurementDifference> = {}): MeasurementDifference {
  return {
    name: 'nuclei_count',
    expected: 200,
    found: 210,
    measured: true,
    deviation: 10,
    allowed: 4,
    agrees: false,
    ...changes,
  };
}

function goldenWell(changes: Partial<GoldenWellCheck> = {}): GoldenWellCheck {
  return {
    plate_id: 5,
    plate_name: 'Plate',
    well: 'A01',
    parameters: {},
    note: '',
    state: 'differs',
    message: '',
    execution_id: 'e1',
    well_id: 7,
    checked_at: null,
    versions: {},
    differences: [difference(), difference({ name: 'area', found: 200, deviation: 0, agrees: true })],
    ...changes,
  };
}

function check(...wells: GoldenWellCheck[]): GoldenCheck {
  return { pipeline_id: 'u2-x', version: 3, expected_by: 3, state: 'differs', wells };
}

describe('the table of differences', () => {
  it('shows expected and found side by side, and folds away what agrees', () => {
    const table = checkTable(check(goldenWell()), LINKS);
    const row = table.querySelector('[data-oh-measurement="nuclei_count"]');
    expect([...(row?.children ?? [])].map((cell) => cell.textContent)).toEqual(['Nuclei count', '200', '210', '10', '± 4']);
    expect(row?.closest('details')).toBeNull();
    expect(table.querySelector('[data-oh-measurement="area"]')?.closest('details')?.textContent).toContain(
      '1 measurement agrees',
    );
  });

  it('tells a missing measurement from one without a value', () => {
    const gone = difference({ name: 'gone', measured: false, found: null, deviation: null });
    const empty = difference({ name: 'empty', found: null, deviation: null });
    const table = checkTable(check(goldenWell({ differences: [gone, empty] })), LINKS);
    const found = (name: string) => table.querySelector(`[data-oh-measurement="${name}"]`)?.children[2]?.textContent;
    expect([found('gone'), found('empty')]).toEqual(['not measured', 'no value']);
  });

  it('puts what needs a look first', () => {
    const states: CheckState[] = ['agrees', 'not_checked', 'differs'];
    const table = checkTable(check(...states.map((state) => goldenWell({ state, differences: [] }))), LINKS);
    const shown = [...table.querySelectorAll<HTMLElement>('[data-oh-check]')].map((pill) => pill.dataset.ohCheck);
    expect(shown).toEqual(['differs', 'not_checked', 'agrees']);
  });

  it('links to the well and the run, and not to a plate that may not be read', () => {
    const hrefs = (well: GoldenWellCheck) =>
      [...checkTable(check(well), LINKS).querySelectorAll('a')].map((link) => link.getAttribute('href'));
    expect(hrefs(goldenWell())).toEqual(['/webclient/?show=well-7', '/openhcs/results/e1/']);
    expect(hrefs(goldenWell({ plate_name: null, execution_id: null, well_id: null }))).toEqual([]);
  });

  it('writes notes and messages as text', () => {
    const table = checkTable(check(goldenWell({ note: '<img src=x onerror=alert(1)>', message: '<b>no</b>' })), LINKS);
    expect(table.querySelector('img, b')).toBeNull();
  });
});

describe('what is asked before sharing', () => {
  const links = { ...LINKS, pipelines: '/openhcs/pipelines/' };
  const drawn = (state: CheckState) =>
    sharingQuestion({ pipeline_id: 'u2-x', version: 3, state, checks: [check(goldenWell())] }, links);

  it.each<CheckState>(['differs', 'not_checked', 'not_run', 'running'])('wants a confirmation when it is %s', (state) => {
    const box = drawn(state).querySelector<HTMLInputElement>('[name="although_unchecked"]');
    expect(box?.checked).toBe(false);
    expect(drawn(state).querySelector('a[href$="#oh-golden"]')?.getAttribute('href')).toBe(
      '/openhcs/pipelines/u2-x/#oh-golden',
    );
  });

  it.each<CheckState>(['agrees', 'no_golden_wells'])('wants none when it is %s', (state) => {
    expect(drawn(state).querySelector('input')).toBeNull();
  });

  it('shows the differences, and says nothing where there are no golden wells', () => {
    expect(drawn('differs').querySelector('[data-oh-measurement="nuclei_count"]')).not.toBeNull();
    expect(drawn('no_golden_wells').textContent).toBe('');
  });
});

describe('recording a golden well', () => {
  const row = (name: string, value: string, checked = true) => {
    const chosen = document.createElement('input');
    chosen.type = 'checkbox';
    chosen.checked = checked;
    const tolerance = document.createElement('input');
    Object.assign(tolerance, { type: 'number', min: '0', max: '100', step: 'any', value });
    return { name, title: name, chosen, tolerance };
  };

  it('gives counts a wider tolerance', () => {
    expect(['count', 'nuclei_count', 'area', 'country'].map(defaultTolerance)).toEqual([2, 2, 1, 1]);
  });

  it('takes the chosen measurements, with tolerances as fractions', () => {
    expect(chosenMeasurements([row('area', '5'), row('length', '0.5', false)])).toEqual([{ name: 'area', relative: 0.05 }]);
  });

  it.each(['', '-1', '101'])('refuses the tolerance "%s"', (value) => {
    const wrong = row('area', value);
    expect(chosenMeasurements([wrong])).toBeNull();
    expect(wrong.tolerance.getAttribute('aria-invalid')).toBe('true');
  });

  it('refuses to expect nothing', () => {
    expect(chosenMeasurements([row('area', '1', false)])).toBeNull();
  });
});
