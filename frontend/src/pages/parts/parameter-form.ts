// SPDX-License-Identifier: AGPL-3.0-or-later
/** Form controls for the values that a pipeline lets people set, made from its document. */

import type { ExposedParameter, ParameterValue } from './documents';
import { make } from '../../shared/dom';

export interface ParameterForm {
  /** The values that differ from the defaults, by name. */
  changed(): Record<string, ParameterValue>;
  /** Whether every control is within its range. */
  valid(): boolean;
  /** Check every control against its range; shows the problems and returns whether there are none. */
  check(): boolean;
  /** Show the problems that the server finds now, by parameter name. Returns those that belong to no control. */
  showErrors(errors: Record<string, string>): Record<string, string>;
  reset(): void;
}

interface Field {
  parameter: ExposedParameter;
  row: HTMLElement;
  read(): ParameterValue;
  write(value: ParameterValue): void;
  control: HTMLInputElement | HTMLSelectElement;
  error: HTMLElement;
}

/** Fill `host` with one control per parameter. `values` are kept where they still make sense. */
export function createParameterForm(
  host: HTMLElement,
  parameters: readonly ExposedParameter[],
  channels: readonly string[],
  onChange: () => void,
  values: Record<string, ParameterValue> = {},
): ParameterForm {
  const fields = parameters.map((parameter) => createField(parameter, channels, changedField));
  host.replaceChildren(...fields.map((field) => field.row));
  if (fields.length === 0) host.append(make('p', { class: 'oh-hint' }, 'This pipeline has nothing to set.'));
  for (const field of fields) {
    const kept = values[field.parameter.name];
    if (kept !== undefined) field.write(kept);
    mark(field);
  }

  function changedField(field: Field): void {
    mark(field);
    showError(field, problemOf(field.parameter, field.read(), field.control));
    onChange();
  }

  return {
    changed() {
      const different = fields.filter((field) => !same(field.read(), field.parameter.default));
      return Object.fromEntries(different.map((field) => [field.parameter.name, field.read()]));
    },
    valid: () => fields.every((field) => problemOf(field.parameter, field.read(), field.control) === ''),
    check() {
      const problems = fields.map((field) => {
        const problem = problemOf(field.parameter, field.read(), field.control);
        showError(field, problem);
        return problem ? field : null;
      });
      problems.find((field) => field !== null)?.control.focus();
      return problems.every((field) => field === null);
    },
    showErrors(errors) {
      const others = { ...errors };
      for (const field of fields) {
        const problem = others[field.parameter.name];
        delete others[field.parameter.name];
        showError(field, problem ?? problemOf(field.parameter, field.read(), field.control));
      }
      return others;
    },
    reset() {
      for (const field of fields) {
        field.write(field.parameter.default);
        mark(field);
        showError(field, '');
      }
      onChange();
    },
  };
}

/** What is wrong with a value, or nothing. */
export function problemOf(parameter: ExposedParameter, value: ParameterValue, control?: { validity?: ValidityState }): string {
  if (parameter.type !== 'integer' && parameter.type !== 'number') return '';
  if (value === null) {
    if (control?.validity?.badInput) return 'This is not a number.';
    return parameter.default === null ? '' : 'A number is needed here.';
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'This is not a number.';
  if (parameter.type === 'integer' && !Number.isInteger(value)) return 'A whole number is needed here.';
  if (parameter.minimum !== null && value < parameter.minimum) return `At least ${parameter.minimum}.`;
  if (parameter.maximum !== null && value > parameter.maximum) return `At most ${parameter.maximum}.`;
  return '';
}

function createField(parameter: ExposedParameter, channels: readonly string[], onChange: (field: Field) => void): Field {
  const id = `oh-value-${parameter.name}`;
  const controls = controlsOf(parameter, channels, id);
  const error = make('p', { class: 'oh-field-error', id: `${id}-error`, hidden: true });
  const row = make(
    'div',
    { class: 'oh-field' },
    make(
      'div',
      { class: 'oh-field-line' },
      make('label', { for: id }, parameter.title),
      make(
        'span',
        { class: 'oh-field-control' },
        controls.control,
        parameter.unit ? make('span', { class: 'oh-field-unit' }, parameter.unit) : null,
      ),
    ),
    controls.slider,
    make('p', { class: 'oh-field-help', id: `${id}-help` }, helpOf(parameter)),
    error,
  );
  controls.control.setAttribute('aria-describedby', `${id}-help ${id}-error`);
  const field: Field = { parameter, row, error, ...controls };
  controls.control.addEventListener('input', () => {
    if (controls.slider) controls.slider.value = controls.control.value;
    onChange(field);
  });
  controls.slider?.addEventListener('input', () => {
    controls.control.value = controls.slider?.value ?? '';
    onChange(field);
  });
  field.write(parameter.default);
  return field;
}

interface Controls {
  control: HTMLInputElement | HTMLSelectElement;
  slider: HTMLInputElement | null;
  read(): ParameterValue;
  write(value: ParameterValue): void;
}

function controlsOf(parameter: ExposedParameter, channels: readonly string[], id: string): Controls {
  switch (parameter.type) {
    case 'boolean':
      return checkbox(id);
    case 'choice':
      return select(id, parameter.choices ?? []);
    case 'channel':
      return channelSelect(parameter, channels, id);
    default:
      return numberAndSlider(parameter, id);
  }
}

function checkbox(id: string): Controls {
  const control = make('input', { type: 'checkbox', id });
  return { control, slider: null, read: () => control.checked, write: (value) => (control.checked = value === true) };
}

function select(id: string, choices: readonly string[]): Controls {
  const control = make(
    'select',
    { id, class: 'oh-input' },
    ...choices.map((choice) => make('option', { value: choice }, choice)),
  );
  return { control, slider: null, read: () => control.value, write: (value) => (control.value = String(value ?? '')) };
}

/** A channel is given as the pipeline gives its default: by its number, counted from one, or by its name. */
function channelSelect(parameter: ExposedParameter, channels: readonly string[], id: string): Controls {
  const control = make('select', { id, class: 'oh-input' });
  control.append(...channels.map((name, index) => make('option', { value: index + 1 }, channelText(name, index))));
  const byName = typeof parameter.default === 'string' && !/^\d+$/.test(parameter.default);
  return {
    control,
    slider: null,
    read: () => (byName ? (channels[Number(control.value) - 1] ?? null) : Number(control.value)),
    write(value) {
      const named = typeof value === 'string' ? channels.indexOf(value) + 1 : 0;
      control.value = String(named || value);
    },
  };
}

function channelText(name: string, index: number): string {
  return /^\d+$/.test(name) ? `channel ${index + 1}` : `${index + 1}: ${name}`;
}

function numberAndSlider(parameter: ExposedParameter, id: string): Controls {
  const { minimum, maximum } = parameter;
  const bounds = { min: minimum, max: maximum };
  const control = make('input', {
    type: 'number',
    id,
    class: 'oh-input',
    inputmode: 'decimal',
    step: parameter.type === 'integer' ? 1 : 'any',
    ...bounds,
  });
  const bounded = minimum !== null && maximum !== null && maximum > minimum;
  const slider = bounded
    ? make('input', { type: 'range', step: sliderStep(parameter), ...bounds, tabindex: -1, 'aria-hidden': 'true' })
    : null;
  return {
    control,
    slider,
    read: () => (control.value === '' ? null : Number(control.value)),
    write(value) {
      control.value = value === null ? '' : String(value);
      if (slider) slider.value = control.value;
    },
  };
}

/** A slider moves in about a hundred round steps. */
export function sliderStep(parameter: Pick<ExposedParameter, 'type' | 'minimum' | 'maximum'>): number {
  const span = (parameter.maximum ?? 1) - (parameter.minimum ?? 0);
  const rough = 10 ** Math.floor(Math.log10(span / 100));
  const step = [1, 2, 5, 10].map((factor) => factor * rough).find((candidate) => span / candidate <= 200) ?? rough;
  return parameter.type === 'integer' ? Math.max(1, Math.round(step)) : Number(step.toPrecision(1));
}

function helpOf(parameter: ExposedParameter): string {
  const { minimum, maximum } = parameter;
  const range =
    minimum !== null && maximum !== null
      ? `${minimum} to ${maximum}.`
      : minimum !== null
        ? `At least ${minimum}.`
        : maximum !== null
          ? `At most ${maximum}.`
          : '';
  return [parameter.help, range].filter(Boolean).join(' ');
}

function mark(field: Field): void {
  field.row.classList.toggle('oh-changed', !same(field.read(), field.parameter.default));
}

function showError(field: Field, problem: string): void {
  field.error.textContent = problem;
  field.error.hidden = problem === '';
  field.control.setAttribute('aria-invalid', String(problem !== ''));
}

function same(one: ParameterValue, other: ParameterValue): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
