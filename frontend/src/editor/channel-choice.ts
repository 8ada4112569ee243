// SPDX-License-Identifier: AGPL-3.0-or-later
/** To which channels a step is limited: all of them, or some by name. */

import { make } from '../shared/dom';
import { channelOf } from './controls';
import { same } from './document';
import { type Problems, problemAt, showProblem } from './problems';

export interface ChannelChoice {
  element: HTMLElement;
  update(chosen: readonly (string | number)[] | null | undefined, path: string, problems: Problems): void;
}

/** `onChange` gets undefined for all channels. */
export function createChannelChoice(
  id: string,
  channels: readonly string[] | null,
  onChange: (chosen: string[] | undefined) => void,
): ChannelChoice {
  const error = make('p', { class: 'oh-field-error', id: `${id}-error`, hidden: true });
  const all = make('input', { type: 'checkbox', id: `${id}-all` });
  const boxes = new Map<string, HTMLInputElement>();
  const written = make('input', {
    type: 'text',
    id: `${id}-names`,
    class: 'oh-input',
    placeholder: 'DAPI, GFP or 1, 2',
    'aria-label': 'Names or numbers of the channels, separated by commas',
    'aria-describedby': `${id}-error`,
    autocomplete: 'off',
  });
  const others = make('span', { class: 'oh-check' });
  const element = make(
    'fieldset',
    { class: 'oh-param oh-param-channels' },
    make('legend', {}, 'Channels'),
    make('label', { class: 'oh-check', for: all.id }, all, 'All'),
    others,
    make('p', { class: 'oh-field-help' }, 'The step changes these channels; the others pass through as they are.'),
    error,
  );

  const readWritten = () =>
    written.value
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
  const readBoxes = () => [...boxes].filter(([, box]) => box.checked).map(([name]) => name);

  all.addEventListener('change', () => {
    if (all.checked) onChange(undefined);
    else onChange(channels ? channels.slice(0, 1).map(String) : ['1']);
  });
  written.addEventListener('input', () => onChange(readWritten()));

  function box(name: string, label: string): HTMLElement {
    const input = make('input', { type: 'checkbox', id: `${id}-${boxes.size}`, 'aria-describedby': `${id}-error` });
    input.addEventListener('change', () => onChange(readBoxes()));
    boxes.set(name, input);
    return make('label', { class: 'oh-check', for: input.id }, input, label);
  }
  if (channels) others.append(...channels.map((name, index) => box(name, /^\d+$/.test(name) ? `Channel ${index + 1}` : name)));
  else others.append(written);

  return {
    element,
    update(chosen, path, problems) {
      all.checked = chosen === null || chosen === undefined;
      others.hidden = all.checked;
      if (!all.checked) {
        const names = (chosen ?? []).map((name) => nameOf(name, channels));
        // A channel that this plate does not have stays in the list, so that nothing is lost.
        for (const name of names) if (channels && !boxes.has(name)) others.append(box(name, `${name} (not on this plate)`));
        for (const [name, input] of boxes) input.checked = names.includes(name);
        if (!channels && !same(readWritten(), names)) written.value = names.join(', ');
      }
      showProblem(channels ? all : written, error, problemAt(problems, path));
    },
  };
}

/** A channel given by number is the plate's channel of that number. */
function nameOf(given: string | number, channels: readonly string[] | null): string {
  const value = channelOf(String(given));
  return typeof value === 'number' && channels ? (channels[value - 1] ?? String(given)) : String(given);
}
