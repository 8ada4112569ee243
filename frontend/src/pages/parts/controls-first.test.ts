// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../../shared/api';
import { createControlsFirst } from './controls-first';
import type { PipelineDocument } from './documents';
import type { WellRole } from './quality-report';

const PIPELINE: PipelineDocument = {
  id: 'count',
  version: 1,
  name: 'Count',
  description: '',
  parameters: [],
  measurements: [
    { name: 'area', title: 'Area', level: 'object', unit: null, help: '' },
    { name: 'nuclei', title: 'Nuclei', level: 'well', unit: null, help: '' },
    { name: 'stain', title: 'Stain', level: 'well', unit: null, help: '' },
  ],
  primary_measurement: 'stain',
  minimum_channels: 1,
};
const WELLS = ['A01', 'A02', 'A03', 'A04', 'A05'];

function api(roles: Record<string, WellRole>): Api {
  const wells = Object.entries(roles).map(([well, role]) => ({ well, role, compound: '', concentration: '' }));
  return { get: vi.fn().mockResolvedValue({ wells }) } as unknown as Api;
}

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function tick(id: string): void {
  element<HTMLInputElement>(id).click();
}

beforeEach(() => {
  document.body.innerHTML = `
    <fieldset id="oh-controls-first" hidden>
      <input type="checkbox" id="oh-first" checked><output id="oh-first-count"></output>
      <div id="oh-futility-row"><input type="checkbox" id="oh-futility"><select id="oh-futility-measurement"></select>
      <input id="oh-futility-below" type="number" min="-100" max="1" step="0.05" value="0.5" required></div>
    </fieldset>`;
});

describe('controls first', () => {
  const FOUR: Record<string, WellRole> = { A01: 'positive', A02: 'positive', A03: 'negative', A04: 'negative', A05: 'empty' };

  it('is offered and wished for when control wells are among the wells', async () => {
    const choice = await createControlsFirst(api(FOUR), 5);
    choice.changed(PIPELINE, WELLS);
    expect(element('oh-controls-first').hidden).toBe(false);
    expect(element('oh-first-count').textContent).toBe('2 positive, 2 negative');
    expect(choice.wish()).toEqual({ futility: null });
    tick('oh-first');
    expect(choice.wish()).toBeNull();
    expect(element<HTMLInputElement>('oh-futility').disabled).toBe(true);
  });

  it('asks for the measurement that the pipeline shows first', async () => {
    const choice = await createControlsFirst(api(FOUR), 5);
    choice.changed(PIPELINE, WELLS);
    tick('oh-futility');
    expect([...element<HTMLSelectElement>('oh-futility-measurement').options].map((option) => option.value)).toEqual([
      'nuclei',
      'stain',
    ]);
    expect(choice.wish()).toEqual({ futility: { measurement: 'stain', z_prime_below: 0.5 } });
    element<HTMLSelectElement>('oh-futility-measurement').value = 'nuclei';
    choice.changed(PIPELINE, WELLS);
    expect(choice.wish()?.futility?.measurement).toBe('nuclei');
  });

  it('does not let a run begin when the number is missing or out of range', async () => {
    const choice = await createControlsFirst(api(FOUR), 5);
    choice.changed(PIPELINE, WELLS);
    tick('oh-futility');
    for (const value of ['', '2']) {
      element<HTMLInputElement>('oh-futility-below').value = value;
      expect(choice.check()).toBe(false);
    }
    tick('oh-futility');
    expect(choice.check()).toBe(true);
  });

  it('offers no pause with fewer than two controls of a kind', async () => {
    const choice = await createControlsFirst(api(FOUR), 5);
    choice.changed(PIPELINE, ['A01', 'A02', 'A03']);
    expect(element('oh-futility-row').hidden).toBe(true);
    expect(choice.wish()).toEqual({ futility: null });
  });

  it('is not offered without control wells, nor when they cannot be read', async () => {
    const none = await createControlsFirst(api({ A05: 'empty' }), 5);
    none.changed(PIPELINE, WELLS);
    expect(element('oh-controls-first').hidden).toBe(true);
    expect(none.wish()).toBeNull();
    const broken = { get: vi.fn().mockRejectedValue(new Error('down')) } as unknown as Api;
    (await createControlsFirst(broken, 5)).changed(PIPELINE, WELLS);
    expect(element('oh-controls-first').hidden).toBe(true);
  });
});
