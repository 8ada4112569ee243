// SPDX-License-Identifier: AGPL-3.0-or-later
/** How a parameter is shown on the page for running the pipeline: its title and the limits within which users choose. */

import type { FunctionParameter } from '../shared/contracts';
import { make } from '../shared/dom';
import { type ExposedParameter, rangeText } from './document';
import { type Problems, problemAt, showProblem } from './problems';

export interface Exposure {
  element: HTMLDetailsElement;
  /** `path` is that of the entry in the document, `parameters.2`. */
  update(entry: ExposedParameter, path: string, problems: Problems): void;
}

type OnChange = (change: Partial<ExposedParameter>, what: string) => void;

export function createExposure(parameter: FunctionParameter, id: string, onChange: OnChange): Exposure {
  const numeric = parameter.type === 'integer' || parameter.type === 'number';
  const title = field(id, 'title', 'Title', 'text');
  const help = field(id, 'help', 'Help', 'text');
  const minimum = field(id, 'minimum', 'Least', 'number');
  const maximum = field(id, 'maximum', 'Most', 'number');
  const general = make('p', { class: 'oh-field-error', hidden: true });
  title.input.maxLength = 120;
  title.input.addEventListener('input', () => onChange({ title: title.input.value }, 'title'));
  help.input.addEventListener('input', () => onChange({ help: help.input.value }, 'help'));
  minimum.input.addEventListener('input', () => onChange({ minimum: read(minimum.input) }, 'minimum'));
  maximum.input.addEventListener('input', () => onChange({ maximum: read(maximum.input) }, 'maximum'));
  const summary = make('summary', {});
  const element = make(
    'details',
    { class: 'oh-exposure' },
    summary,
    make(
      'div',
      { class: 'oh-exposure-fields' },
      title.element,
      ...(numeric ? [minimum.element, maximum.element] : []),
      help.element,
    ),
    general,
  );
  return {
    element,
    update(entry, path, problems) {
      summary.textContent = `Shown as “${entry.title}”${rangeText(entry)}`;
      write(title, entry.title, problemAt(problems, `${path}.title`));
      write(help, entry.help, problemAt(problems, `${path}.help`));
      write(minimum, entry.minimum, problemAt(problems, `${path}.minimum`));
      write(maximum, entry.maximum, problemAt(problems, `${path}.maximum`));
      const others = ['name', 'parameter', 'type', 'step', 'choices', 'unit'].map((part) =>
        problemAt(problems, `${path}.${part}`),
      );
      general.textContent = others.filter(Boolean).join(' ');
      general.hidden = general.textContent === '';
      if (element.querySelector('[aria-invalid]') || !general.hidden) element.open = true;
    },
  };
}

interface SmallField {
  element: HTMLElement;
  input: HTMLInputElement;
  error: HTMLElement;
}

function field(id: string, name: string, label: string, type: string): SmallField {
  const input = make('input', {
    type,
    id: `${id}-${name}`,
    class: 'oh-input',
    step: type === 'number' ? 'any' : null,
    'aria-describedby': `${id}-${name}-error`,
    autocomplete: 'off',
  });
  const error = make('p', { class: 'oh-field-error', id: `${id}-${name}-error`, hidden: true });
  const element = make('div', { class: `oh-exposure-${name}` }, make('label', { for: input.id }, label), input, error);
  return { element, input, error };
}

function read(input: HTMLInputElement): number | null {
  return input.value === '' ? null : Number(input.value);
}

function write({ input, error }: SmallField, value: string | number | null | undefined, problem: string): void {
  const shown = value ?? '';
  const current = input.type === 'number' ? (read(input) ?? '') : input.value;
  if (current !== shown) input.value = String(shown);
  showProblem(input, error, problem);
}
