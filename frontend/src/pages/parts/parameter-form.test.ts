// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExposedParameter, ParameterValue } from './documents';
import { createParameterForm, problemOf, sliderStep } from './parameter-form';

function parameter(changes: Partial<ExposedParameter>): ExposedParameter {
  return {
    name: 'diameter',
    title: 'Diameter',
    step: 0,
    parameter: 'diameter',
    type: 'number',
    default: 24,
    minimum: 4,
    maximum: 400,
    choices: null,
    unit: 'pixels',
    help: 'Typical diameter.',
    ...changes,
  };
}

const ALL = [
  parameter({}),
  parameter({ name: 'count', type: 'integer', default: 3, minimum: 1, maximum: null, unit: null }),
  parameter({ name: 'split', type: 'boolean', default: true }),
  parameter({ name: 'method', type: 'choice', default: 'otsu', choices: ['otsu', 'li'] }),
  parameter({ name: 'channel', type: 'channel', default: 1 }),
];

let host: HTMLElement;
const changed = vi.fn();

function form(parameters = ALL, values: Record<string, ParameterValue> = {}) {
  return createParameterForm(host, parameters, ['DAPI', 'GFP'], changed, values);
}

function control<T extends HTMLElement = HTMLInputElement>(name: string): T {
  return host.querySelector(`#oh-value-${name}`) as T;
}

function type(name: string, value: string): void {
  const input = control(name);
  input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

beforeEach(() => {
  document.body.innerHTML = '<div></div>';
  host = document.body.firstElementChild as HTMLElement;
  changed.mockClear();
});

describe('the form', () => {
  it('has one labelled control per parameter, with unit, range and help', () => {
    form();
    expect(host.querySelectorAll('.oh-field')).toHaveLength(5);
    expect(host.querySelector('label[for="oh-value-diameter"]')?.textContent).toBe('Diameter');
    expect(control('diameter').getAttribute('aria-describedby')).toContain('oh-value-diameter-help');
    expect(host.textContent).toContain('pixels');
    expect(host.textContent).toContain('4 to 400.');
    expect(host.textContent).toContain('At least 1.');
    expect([...control<HTMLSelectElement>('channel').options].map((option) => option.text)).toEqual(['1: DAPI', '2: GFP']);
  });

  it('reports only what differs from the defaults, with its type', () => {
    const made = form();
    expect(made.changed()).toEqual({});
    type('diameter', '30.5');
    control('split').click();
    control<HTMLSelectElement>('channel').value = '2';
    expect(made.changed()).toEqual({ diameter: 30.5, split: false, channel: 2 });
    made.reset();
    expect(made.changed()).toEqual({});
  });

  it('gives a channel by name where the pipeline does so', () => {
    const made = form([parameter({ name: 'channel', type: 'channel', default: 'DAPI' })]);
    expect(made.changed()).toEqual({});
    control<HTMLSelectElement>('channel').value = '2';
    expect(made.changed()).toEqual({ channel: 'GFP' });
  });

  it('takes a channel called by a digit for a name and a number for a number', () => {
    createParameterForm(host, [parameter({ name: 'channel', type: 'channel', default: 1 })], ['0', '1'], changed);
    expect(control<HTMLSelectElement>('channel').value).toBe('1');
  });

  it('keeps slider and number together', () => {
    form();
    const slider = host.querySelector('input[type="range"]') as HTMLInputElement;
    type('diameter', '100');
    expect(slider.value).toBe('100');
    slider.value = '50';
    slider.dispatchEvent(new Event('input'));
    expect(control('diameter').value).toBe('50');
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it('refuses values out of range on the field and focuses it', () => {
    const made = form();
    type('diameter', '2');
    expect(host.querySelector('#oh-value-diameter-error')?.textContent).toBe('At least 4.');
    expect(control('diameter').getAttribute('aria-invalid')).toBe('true');
    expect(made.check()).toBe(false);
    expect(document.activeElement).toBe(control('diameter'));
    type('diameter', '20');
    expect(made.check()).toBe(true);
  });

  it('shows what the server refused where it belongs and returns the rest', () => {
    const made = form();
    expect(made.showErrors({ diameter: 'too wide', colour: 'unknown' })).toEqual({ colour: 'unknown' });
    expect(host.querySelector('#oh-value-diameter-error')?.textContent).toBe('too wide');
  });

  it('keeps values when another version of the pipeline is chosen', () => {
    expect(form(ALL, { diameter: 40, gone: 1 }).changed()).toEqual({ diameter: 40 });
  });

  it('writes names as text, never as HTML', () => {
    form([parameter({ title: '<img src=x onerror=alert(1)>', help: '<b>bold</b>' })]);
    expect(host.querySelector('img, b')).toBeNull();
  });
});

describe('problems', () => {
  it.each([
    [parameter({ type: 'integer' }), 4.5, 'A whole number is needed here.'],
    [parameter({}), null, 'A number is needed here.'],
    [parameter({ default: null }), null, ''],
    [parameter({}), Number.NaN, 'This is not a number.'],
    [parameter({}), 500, 'At most 400.'],
    [parameter({}), 400, ''],
    [parameter({ type: 'boolean' }), true, ''],
  ])('of %o with %s', (described, value, expected) => {
    expect(problemOf(described, value)).toBe(expected);
  });
});

describe('slider steps', () => {
  it.each([
    [0, 1, 0.01],
    [4, 400, 2],
    [0, 65535, 500],
  ])('from %d to %d', (minimum, maximum, step) => {
    expect(sliderStep({ type: 'number', minimum, maximum })).toBeCloseTo(step);
  });

  it('are whole for whole numbers', () => {
    expect(sliderStep({ type: 'integer', minimum: 0, maximum: 10 })).toBe(1);
  });
});
