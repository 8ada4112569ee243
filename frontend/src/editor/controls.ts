// SPDX-License-Identifier: AGPL-3.0-or-later
/** One control for a function's parameter, by its type. A control shows a value and says when the user changes it. */

import type { FunctionParameter } from '../shared/contracts';
import { make } from '../shared/dom';
import { type ParameterValue, same, words } from './document';
import { scaleOf } from './scale';

export interface Surroundings {
  /** The channel names of a plate; null when no plate is known. */
  channels: readonly string[] | null;
  /** The names of the objects that earlier steps find. */
  objects: readonly string[];
}

export interface Control {
  /** Everything that is shown, in order. */
  parts: HTMLElement[];
  /** The element that is named, described and focused. */
  input: HTMLInputElement | HTMLSelectElement;
  /** Show a value; what the user is typing and means the same stays as it is. */
  write(value: ParameterValue, around: Surroundings): void;
}

type OnInput = (value: ParameterValue) => void;

export function createControl(parameter: FunctionParameter, id: string, onInput: OnInput): Control {
  switch (parameter.type) {
    case 'boolean':
      return checkbox(id, onInput);
    case 'choice':
      return choice(parameter, id, onInput);
    case 'integer':
    case 'number':
      return number(parameter, id, onInput);
    case 'channel':
      return channel(id, onInput);
    case 'objects':
      return objects(id, onInput);
    case 'list':
      return list(parameter, id, onInput);
    default:
      return text(id, onInput);
  }
}

function checkbox(id: string, onInput: OnInput): Control {
  const input = make('input', { type: 'checkbox', id });
  input.addEventListener('change', () => onInput(input.checked));
  return { parts: [input], input, write: (value) => (input.checked = value === true) };
}

function choice(parameter: FunctionParameter, id: string, onInput: OnInput): Control {
  const input = make('select', { id, class: 'oh-input' });
  input.addEventListener('change', () => onInput(input.value));
  return {
    parts: [input],
    input,
    write(value) {
      const options = (parameter.choices ?? []).map((name) => ({ value: name, label: words(name) }));
      fillSelect(input, options, String(value ?? ''), 'not a choice');
    },
  };
}

function number(parameter: FunctionParameter, id: string, onInput: OnInput): Control {
  const { minimum, maximum } = parameter;
  const integer = parameter.type === 'integer';
  const input = make('input', {
    type: 'number',
    id,
    class: 'oh-input',
    inputmode: integer ? 'numeric' : 'decimal',
    step: integer ? 1 : 'any',
    min: minimum,
    max: maximum,
    placeholder: parameter.default === null ? 'automatic' : null,
  });
  const bounded = minimum !== null && maximum !== null && maximum > minimum;
  const scale = bounded ? scaleOf({ integer, minimum, maximum }) : null;
  const slider = scale
    ? make('input', { type: 'range', min: scale.min, max: scale.max, step: scale.step, tabindex: -1, 'aria-hidden': 'true' })
    : null;
  const read = () => (input.value === '' ? null : Number(input.value));
  input.addEventListener('input', () => onInput(read()));
  slider?.addEventListener('input', () => onInput(scale?.value(Number(slider.value)) ?? null));
  return {
    parts: [...(slider ? [slider] : []), input, make('span', { class: 'oh-field-unit' }, parameter.unit ?? '')],
    input,
    write(value) {
      // "1." and "1" are the same number; what is being typed must not jump. An unreadable text reads as null.
      if (!same(read(), value)) input.value = value === null ? '' : String(value);
      if (slider && scale && typeof value === 'number' && scale.value(Number(slider.value)) !== value) {
        slider.value = String(scale.position(value));
      }
    },
  };
}

function text(id: string, onInput: OnInput): Control {
  const input = make('input', { type: 'text', id, class: 'oh-input', spellcheck: 'false', autocomplete: 'off' });
  input.addEventListener('input', () => onInput(input.value));
  return {
    parts: [input],
    input,
    write(value) {
      const shown = value === null ? '' : String(value);
      if (input.value !== shown) input.value = shown;
    },
  };
}

/** A list of plain values, separated by commas. */
function list(parameter: FunctionParameter, id: string, onInput: OnInput): Control {
  const input = make('input', { type: 'text', id, class: 'oh-input', placeholder: '1, 2, 3', autocomplete: 'off' });
  const textual = Array.isArray(parameter.default) && parameter.default.some((entry) => typeof entry === 'string');
  const read = () => readList(input.value, textual);
  input.addEventListener('input', () => onInput(read()));
  return {
    parts: [input],
    input,
    write(value) {
      if (!same(read(), value)) input.value = Array.isArray(value) ? value.join(', ') : String(value ?? '');
    },
  };
}

export function readList(written: string, textual: boolean): (number | string)[] | null {
  const entries = written.split(',').map((entry) => entry.trim());
  if (entries.every((entry) => entry === '')) return null;
  return entries
    .filter((entry) => entry !== '')
    .map((entry) => (textual || Number.isNaN(Number(entry)) ? entry : Number(entry)));
}

/**
 * A channel by its name or its number. With a plate its channels are offered, by name and by number; without one people write
 * either.
 */
function channel(id: string, onInput: OnInput): Control {
  const select = make('select', { id, class: 'oh-input' });
  const written = make('input', {
    type: 'text',
    id,
    class: 'oh-input oh-short',
    placeholder: 'name or number',
    title: 'The name of a channel, or its number counted from 1',
    autocomplete: 'off',
  });
  select.addEventListener('change', () => onInput(channelOf(select.value)));
  written.addEventListener('input', () => onInput(channelOf(written.value)));
  const control: Control = {
    parts: [written],
    input: written,
    write(value, { channels }) {
      if (channels === null) {
        if (channelOf(written.value) !== value) written.value = String(value ?? '');
        return;
      }
      if (control.input !== select) {
        if (written.isConnected) {
          for (const attribute of ['aria-describedby']) select.setAttribute(attribute, written.getAttribute(attribute) ?? '');
          written.replaceWith(select);
        }
        control.input = select;
        control.parts = [select];
      }
      fillSelect(select, channelOptions(channels), String(value ?? ''), 'not on this plate');
    },
  };
  return control;
}

export function channelOf(written: string): ParameterValue {
  const plain = written.trim();
  if (plain === '') return null;
  return /^\d+$/.test(plain) ? Number(plain) : plain;
}

export function channelOptions(channels: readonly string[]): Option[] {
  const named = channels.filter((name) => !/^\d+$/.test(name)).map((name) => ({ value: name, label: name, group: 'By name' }));
  const numbered = channels.map((name, index) => ({
    value: String(index + 1),
    label: /^\d+$/.test(name) ? `Channel ${index + 1}` : `Channel ${index + 1} (${name} here)`,
    group: 'By place',
  }));
  return [...named, ...numbered];
}

function objects(id: string, onInput: OnInput): Control {
  const input = make('select', { id, class: 'oh-input' });
  input.addEventListener('change', () => onInput(input.value));
  return {
    parts: [input],
    input,
    write(value, around) {
      const options = around.objects.map((name) => ({ value: name, label: name }));
      fillSelect(input, options, String(value ?? ''), 'not found by an earlier step');
    },
  };
}

export interface Option {
  value: string;
  label: string;
  group?: string;
}

/** Offer `options`; a value that is none of them is kept, shown with what is wrong with it. */
export function fillSelect(select: HTMLSelectElement, options: readonly Option[], value: string, otherwise: string): void {
  const known = options.some((option) => option.value === value);
  const wanted = known ? options : [{ value, label: value === '' ? 'Choose…' : `${value} (${otherwise})` }, ...options];
  const signature = JSON.stringify(wanted);
  if (select.dataset.options !== signature) {
    select.dataset.options = signature;
    const groups = new Map<string, HTMLElement>();
    select.replaceChildren();
    for (const option of wanted) {
      const element = make('option', { value: option.value }, option.label);
      const group = option.group ?? '';
      if (group === '') select.append(element);
      else {
        if (!groups.has(group)) {
          const made = make('optgroup', { label: group });
          groups.set(group, made);
          select.append(made);
        }
        groups.get(group)?.append(element);
      }
    }
  }
  select.value = value;
}
