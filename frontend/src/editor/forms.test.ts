// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it } from 'vitest';

import type { FunctionInfo, FunctionParameter } from '../shared/contracts';
import { createCard } from './card';
import { createChannelChoice } from './channel-choice';
import { createControl } from './controls';
import { type EditedDocument, type ParameterValue, emptyDocument } from './document';
import { addStep, expose } from './edits';
import { createStore } from './store';

function parameter(name: string, change: Partial<FunctionParameter> = {}): FunctionParameter {
  const plain = { title: '', default: 1, required: false, minimum: null, maximum: null, choices: null, unit: null, help: '' };
  return { name, type: 'number', ...plain, advanced: false, inferred: false, ...change };
}

const NOWHERE = { channels: null, objects: [] };

/** A control in the page, and what it told of the user's changes. */
function control(given: FunctionParameter) {
  const told: ParameterValue[] = [];
  const made = createControl(given, 'it', (value) => told.push(value));
  const host = document.createElement('div');
  host.append(...made.parts);
  document.body.replaceChildren(host);
  const input = () => document.getElementById('it') as HTMLInputElement;
  const write = (value: string) => {
    input().value = value;
    input().dispatchEvent(new Event(input().tagName === 'SELECT' ? 'change' : 'input'));
  };
  return { made, told, input, write, host };
}

describe('controls', () => {
  it('keeps slider and number together, and what is typed as it is', () => {
    const { made, told, input, write, host } = control(parameter('sigma', { minimum: 0, maximum: 10 }));
    made.write(2, NOWHERE);
    const slider = host.querySelector<HTMLInputElement>('input[type=range]') as HTMLInputElement;
    expect([input().value, slider.value]).toEqual(['2', '2']);
    write('2.50');
    made.write(2.5, NOWHERE);
    expect([input().value, slider.value, told.at(-1)]).toEqual(['2.50', '2.5', 2.5]);
    slider.value = '7';
    slider.dispatchEvent(new Event('input'));
    expect(told.at(-1)).toBe(7);
    write('');
    expect(told.at(-1)).toBeNull();
  });

  it('takes a channel by name or number, and offers those of a plate', () => {
    const free = control(parameter('channel', { type: 'channel' }));
    free.made.write(1, NOWHERE);
    free.write('GFP');
    free.write(' 2 ');
    expect(free.told).toEqual(['GFP', 2]);

    const { made, told, input, write } = control(parameter('channel', { type: 'channel' }));
    made.input.setAttribute('aria-describedby', 'help');
    made.write('Cy5', { channels: ['DAPI', 'GFP'], objects: [] });
    const options = [...(input() as unknown as HTMLSelectElement).options].map((option) => option.textContent);
    expect(options).toEqual(['Cy5 (not on this plate)', 'DAPI', 'GFP', 'Channel 1 (DAPI here)', 'Channel 2 (GFP here)']);
    expect([input().value, input().getAttribute('aria-describedby')]).toEqual(['Cy5', 'help']);
    write('GFP');
    write('2');
    expect(told).toEqual(['GFP', 2]);
  });

  it('offers the objects of earlier steps and keeps a name that none of them gives', () => {
    const { made, input, write, told } = control(parameter('objects', { type: 'objects' }));
    made.write('cells', { channels: null, objects: ['nuclei', 'spots'] });
    const texts = () => [...(input() as unknown as HTMLSelectElement).options].map((option) => option.textContent);
    expect(texts()).toEqual(['cells (not found by an earlier step)', 'nuclei', 'spots']);
    write('nuclei');
    expect(told).toEqual(['nuclei']);
    made.write('nuclei', { channels: null, objects: ['nuclei'] });
    expect(texts()).toEqual(['nuclei']);
  });

  it('shows HTML in names as text', () => {
    const evil = '<img src=x onerror=alert(1)>';
    const { made, host } = control(parameter('choice', { type: 'choice', choices: [evil] }));
    made.write(evil, NOWHERE);
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent).toContain(evil);
  });
});

describe('the channels of a step', () => {
  const choice = (channels: string[] | null) => {
    const told: (string[] | undefined)[] = [];
    const made = createChannelChoice('it', channels, (chosen) => told.push(chosen));
    document.body.replaceChildren(made.element);
    const box = (words: string) => {
      const label = [...made.element.querySelectorAll('label')].find((entry) => entry.textContent === words);
      return label?.querySelector('input') as HTMLInputElement;
    };
    return { made, told, box };
  };

  it('are chosen by the names of the plate', () => {
    const { made, told, box } = choice(['DAPI', 'GFP']);
    made.update(undefined, 'steps.0.channels', {});
    expect(box('All').checked).toBe(true);
    box('All').click();
    expect(told.at(-1)).toEqual(['DAPI']);
    made.update(['2', 'Cy5'], 'steps.0.channels', { 'steps.0.channels.1': 'There is no channel Cy5.' });
    expect([box('DAPI').checked, box('GFP').checked, box('Cy5 (not on this plate)').checked]).toEqual([false, true, true]);
    expect(made.element.textContent).toContain('There is no channel Cy5.');
    box('Cy5 (not on this plate)').click();
    expect(told.at(-1)).toEqual(['GFP']);
    box('All').click();
    expect(told.at(-1)).toBeUndefined();
  });

  it('are written when no plate is known', () => {
    const { made, told, box } = choice(null);
    made.update(['1'], 'steps.0.channels', {});
    expect(box('All').checked).toBe(false);
    const written = document.getElementById('it-names') as HTMLInputElement;
    written.value = 'DAPI, 2,';
    written.dispatchEvent(new Event('input'));
    expect(told).toEqual([['DAPI', '2']]);
  });
});

describe('a card', () => {
  const sigma = parameter('sigma', { minimum: 0, maximum: 10, help: 'Width.' });
  const rare = parameter('rare', { advanced: true, inferred: true });
  const smooth: FunctionInfo = {
    id: 'openhcs:smooth',
    title: 'Smooth',
    library: 'OpenHCS',
    category: 'filter',
    help: 'Makes it soft.',
    parameters: [sigma, rare],
    inputs: ['image'],
    outputs: ['image'],
    restrictable: true,
    offered: true,
    reason: '',
    cost: null,
    import_path: null,
  };
  const actions = { move: () => undefined, duplicate: () => undefined, remove: () => undefined, insertAfter: () => undefined };

  function card(edited: EditedDocument, functions: FunctionInfo[] = [smooth]) {
    const store = createStore(edited, null);
    const made = createCard(1, store, actions, true);
    document.body.replaceChildren(made.element);
    const update = (problems: Record<string, string> = {}) => {
      const known = new Map(functions.map((info) => [info.id, info]));
      made.update(store.document, 0, { functions: known, functionsKnown: true, channels: null, problems });
    };
    update();
    store.subscribe(() => update());
    const find = <T extends HTMLElement>(selector: string) => made.element.querySelector<T>(selector) as T;
    return { store, update, find };
  }

  beforeEach(() => document.body.replaceChildren());

  it('folds advanced values, says which types were inferred, and ties help and mistakes to their field', () => {
    const { find, update } = card(addStep(emptyDocument(), 0, smooth));
    expect(find('.oh-advanced [data-parameter=rare]').textContent).toContain('type inferred');
    update({ 'steps.0.parameters.sigma': 'Too soft.' });
    const field = find<HTMLInputElement>('#oh-step-1-sigma');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    const described = (field.getAttribute('aria-describedby') ?? '').split(' ').map((id) => find(`#${id}`).textContent);
    expect(described).toEqual(['Width. 0 to 10.', 'Too soft.']);
  });

  it('keeps step and run page the same, and brings the default back', () => {
    const { store, find } = card(expose(addStep(emptyDocument(), 0, smooth), 0, sigma));
    const field = find<HTMLInputElement>('#oh-step-1-sigma');
    field.value = '4';
    field.dispatchEvent(new Event('input'));
    expect([store.document.steps[0]?.parameters.sigma, store.document.parameters[0]?.default]).toEqual([4, 4]);
    find('[aria-label="Sigma: back to the default"]').click();
    expect([store.document.steps[0]?.parameters, store.document.parameters[0]?.default, field.value]).toEqual([{}, 1, '1']);
    find('#oh-step-1-sigma-shown').click();
    expect(store.document.parameters).toEqual([]);
  });

  it('shows what the catalogue does not know, and lets it be taken out', () => {
    const step = { name: 'Smooth', function: smooth.id, parameters: { sigma: 1, gone: [1, 2] } };
    const { store, find } = card({ ...emptyDocument(), steps: [step] });
    expect(find('.oh-params').textContent).toContain('1, 2');
    find('[aria-label="Remove gone"]').click();
    expect(store.document.steps[0]?.parameters).toEqual({ sigma: 1 });
    const unknown = card({ ...emptyDocument(), steps: [step] }, []);
    expect(unknown.find('.oh-step-about').textContent).toContain('is not in the catalogue');
  });

  it('says why a function is not offered', () => {
    const gone = { ...smooth, offered: false, reason: 'It mixes <b>fields</b>.' };
    const { find } = card(addStep(emptyDocument(), 0, smooth), [gone]);
    expect(find('.oh-not-offered').textContent).toBe('Not offered: It mixes <b>fields</b>.');
  });
});
