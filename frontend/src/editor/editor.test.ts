// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';

import type { FunctionInfo, FunctionParameter } from '../shared/contracts';
import { readList } from './controls';
import { differencesOf } from './differences';
import { type EditedDocument, type Step, emptyDocument, objectsBefore, slug, tidied, valueOf, writeText } from './document';
import { draftBox } from './draft';
import {
  addStep,
  changeExposed,
  changeMeasurement,
  changeStep,
  duplicateStep,
  expose,
  hide,
  moveStep,
  removeStep,
  resetParameter,
  setParameter,
} from './edits';
import { readText } from './json-text';
import { problemAt, problemOf } from './problems';
import { scaleOf } from './scale';
import { searchCatalogue } from './search';
import { createStore } from './store';

function parameter(name: string, change: Partial<FunctionParameter> = {}): FunctionParameter {
  const plain = { title: '', default: 1, required: false, minimum: null, maximum: null, choices: null, unit: null, help: '' };
  return { name, type: 'number', ...plain, advanced: false, inferred: false, ...change };
}

function info(id: string, title: string, change: Partial<FunctionInfo> = {}): FunctionInfo {
  const plain = { library: 'OpenHCS', category: 'other', help: '', parameters: [], inputs: ['image'], outputs: ['image'] };
  return { id, title, ...plain, restrictable: false, offered: true, reason: '', cost: null, import_path: null, ...change };
}

const SIGMA = parameter('sigma', { minimum: 0.1, maximum: 50, unit: 'pixels' });
const SMOOTH = info('openhcs:gaussian_blur', 'Smooth', { category: 'filter', help: 'Gaussian filter', parameters: [SIGMA] });
const FIND = info('own:segment', 'Find nuclei', {
  category: 'segmentation',
  library: 'omero-openhcs',
  outputs: ['image', 'nuclei', 'measurements'],
  parameters: [parameter('channel', { type: 'channel', default: 1 }), parameter('tiles', { advanced: true, default: 4 })],
});
const MEASURE = info('own:measure', 'Measure', {
  inputs: ['image', 'nuclei'],
  outputs: ['image', 'measurements'],
  parameters: [parameter('name', { type: 'string', default: 'marker' })],
});
const GONE = info('openhcs:gone', 'Gone', { offered: false, reason: 'It mixes fields.' });
const CATALOGUE = [SMOOTH, FIND, MEASURE, GONE];

function three(): EditedDocument {
  return [SMOOTH, FIND, MEASURE].reduce((document, added, at) => addStep(document, at, added), emptyDocument());
}

const names = (document: EditedDocument) => document.steps.map((step) => step.name);

describe('editing', () => {
  it('adds a step with the defaults that are not advanced', () => {
    const document = three();
    expect(names(document)).toEqual(['Smooth', 'Find nuclei', 'Measure']);
    expect(document.steps[1]?.parameters).toEqual({ channel: 1 });
  });

  it('gives a repeated step its own name and its own columns', () => {
    const document = duplicateStep(three(), 2, MEASURE);
    expect(names(document)).toEqual(['Smooth', 'Find nuclei', 'Measure', 'Measure 2']);
    expect(document.steps[3]?.parameters.name).toBe('marker_2');
  });

  it('keeps what is shown on the run page with its step through moves, inserts and removals', () => {
    const shown = expose(three(), 0, SIGMA);
    const step = (document: EditedDocument) => document.parameters.map((entry) => entry.step);
    expect(step(moveStep(shown, 0, 2))).toEqual([2]);
    expect(step(moveStep(shown, 2, 0))).toEqual([1]);
    expect(step(addStep(shown, 0, SMOOTH))).toEqual([1]);
    expect(step(removeStep(moveStep(shown, 0, 2), 0))).toEqual([1]);
    expect(removeStep(shown, 0).parameters).toEqual([]);
    expect(names(moveStep(shown, 0, 2))).toEqual(['Find nuclei', 'Measure', 'Smooth']);
    expect(moveStep(shown, 0, 3)).toBe(shown);
  });

  it('gives what is shown the value of its step, whichever is changed', () => {
    const shown = expose(resetParameter(three(), 0, SIGMA), 0, SIGMA);
    expect(shown.steps[0]?.parameters).toEqual({ sigma: 1 });
    expect(shown.parameters[0]).toEqual({
      name: 'sigma',
      title: 'Sigma',
      step: 0,
      parameter: 'sigma',
      type: 'number',
      default: 1,
      minimum: 0.1,
      maximum: 50,
      unit: 'pixels',
      help: '',
    });
    expect(setParameter(shown, 0, 'sigma', 3).parameters[0]?.default).toBe(3);
    const reset = resetParameter(setParameter(shown, 0, 'sigma', 3), 0, SIGMA);
    expect([reset.steps[0]?.parameters, reset.parameters[0]?.default, valueOf(reset, 0, SIGMA)]).toEqual([{}, 1, 1]);
    expect(hide(shown, 0, 'sigma').parameters).toEqual([]);
    expect(changeExposed(shown, 0, 'sigma', { maximum: null }).parameters[0]).not.toHaveProperty('maximum');
  });

  it('shows two parameters of the same name under different ones', () => {
    const twice = expose(expose(duplicateStep(three(), 0), 0, SIGMA), 1, SIGMA);
    expect(twice.parameters.map((entry) => [entry.name, entry.title, entry.step])).toEqual([
      ['sigma', 'Sigma', 0],
      ['sigma-2', 'Sigma 2', 1],
    ]);
  });

  it('knows which objects earlier steps find, and forgets those of steps that are off', () => {
    const functions = new Map(CATALOGUE.map((entry) => [entry.id, entry]));
    expect(objectsBefore(three(), 2, functions)).toEqual(['nuclei']);
    expect(objectsBefore(three(), 1, functions)).toEqual([]);
    expect(objectsBefore(changeStep(three(), 1, { enabled: false }), 2, functions)).toEqual([]);
  });

  it('lets a new step take the objects that are there, and gives those it makes a free name', () => {
    const objects = parameter('objects', { type: 'objects', default: 'objects' });
    const others = parameter('others', { type: 'objects', default: 'spots' });
    const label = parameter('name', { type: 'string', default: 'objects' });
    const outputs = ['image', 'objects', 'measurements'];
    const grow = info('own:grow', 'Grow', { inputs: ['image', 'objects'], outputs, parameters: [objects, label] });
    const inside = info('own:inside', 'Count inside', { parameters: [objects, others] });
    const functions = new Map([...CATALOGUE, grow, inside].map((entry) => [entry.id, entry]));
    const add = (document: EditedDocument, added: FunctionInfo) =>
      addStep(document, document.steps.length, added, objectsBefore(document, document.steps.length, functions));
    const grown = add(add(three(), grow), grow);
    expect(grown.steps.slice(3).map((step) => step.parameters)).toEqual([
      { objects: 'nuclei', name: 'objects' },
      { objects: 'objects', name: 'objects_2' },
    ]);
    expect(objectsBefore(grown, 5, functions)).toEqual(['nuclei', 'objects', 'objects_2']);
    expect(add(grown, inside).steps[5]?.parameters).toEqual({ objects: 'objects', others: 'objects_2' });
    expect(add(emptyDocument(), inside).steps[0]?.parameters).toEqual({ objects: 'objects', others: 'spots' });
  });

  it('renames a measurement at all its levels and keeps its help', () => {
    const entry = { name: 'area', title: 'Area', unit: null, help: 'Size.' };
    const measurements = [
      { ...entry, level: 'well' as const },
      { ...entry, level: 'object' as const },
    ];
    const document = { ...three(), measurements, primary_measurement: 'area' };
    const changed = changeMeasurement(document, 'area', { name: 'size', unit: 'µm²' }, ['field', 'object']);
    expect(changed.measurements).toEqual([
      { name: 'size', title: 'Area', unit: 'µm²', help: 'Size.', level: 'field' },
      { name: 'size', title: 'Area', unit: 'µm²', help: 'Size.', level: 'object' },
    ]);
    expect(changed.primary_measurement).toBe('size');
  });

  it('makes ids that the server accepts', () => {
    expect(slug('Zählung der Kerne (Kopie)')).toBe('zahlung-der-kerne-kopie');
    expect(slug('<b>')).toBe('b');
    expect(slug('核')).toBe('pipeline');
    expect(slug('x'.repeat(90))).toHaveLength(40);
  });
});

describe('history', () => {
  it('undoes and redoes, with the keys of the steps', () => {
    const store = createStore(three(), null);
    const before = store.keys;
    store.arrange(moveStep(store.document, 0, 2), [before[1], before[2], before[0]] as number[]);
    expect([names(store.document), store.keys]).toEqual([
      ['Find nuclei', 'Measure', 'Smooth'],
      [2, 3, 1],
    ]);
    store.undo();
    expect([names(store.document), store.keys]).toEqual([['Smooth', 'Find nuclei', 'Measure'], before]);
    store.redo();
    expect(store.keys).toEqual([2, 3, 1]);
    store.redo();
    expect(store.keys).toEqual([2, 3, 1]);
  });

  it('undoes what was typed into one field at once, and other fields one by one', () => {
    let now = 0;
    const store = createStore(three(), null, () => now);
    const type = (value: number, group: string) => store.edit((document) => setParameter(document, 0, 'sigma', value), group);
    for (const value of [1.5, 1.52, 1.523]) {
      now += 300;
      type(value, 'sigma');
    }
    now += 5000;
    type(2, 'sigma');
    store.undo();
    expect(store.document.steps[0]?.parameters.sigma).toBe(1.523);
    store.undo();
    expect(store.document.steps[0]?.parameters.sigma).toBe(1);
    expect(store.history.past).toEqual([]);
  });

  it('is not changed by an edit that changes nothing', () => {
    const store = createStore(three(), three());
    store.edit((document) => setParameter(document, 0, 'sigma', 1));
    expect([store.dirty, store.history.past.length]).toEqual([false, 0]);
    store.edit((document) => setParameter(document, 0, 'sigma', 2));
    expect(store.dirty).toBe(true);
    store.undo();
    expect(store.dirty).toBe(false);
  });

  it('keeps what was edited while a save was on its way, and never brings an old version number back', () => {
    const store = createStore(three(), three());
    store.edit((document) => setParameter(document, 0, 'sigma', 2));
    const posted = store.document;
    store.edit((document) => setParameter(document, 0, 'sigma', 3));
    store.saved({ ...posted, version: 2 });
    expect([store.dirty, store.document.version, store.document.steps[0]?.parameters.sigma]).toEqual([true, 2, 3]);
    store.undo();
    expect([store.dirty, store.document.version]).toEqual([false, 2]);
  });

  it('keeps the card of a step that was moved or changed in the text', () => {
    const store = createStore(three(), null);
    const [smooth, find, measure] = store.document.steps as [Step, Step, Step];
    store.read({ ...store.document, steps: [measure, { ...find, parameters: { channel: 2 } }, { ...smooth, name: 'Blur' }] });
    expect(store.keys).toEqual([3, 2, 1]);
    store.read({ ...store.document, steps: [...store.document.steps, { ...smooth, function: 'own:other', name: 'New' }] });
    expect(store.keys).toEqual([3, 2, 1, 4]);
  });
});

describe('the text', () => {
  it('keeps what the editor does not know', () => {
    const wells = [{ plate_id: 3, well: 'B02', expected: [{ name: 'count', value: 12 }] }];
    const document = { ...three(), golden_wells: wells, something_new: { a: 1 } };
    const read = readText(writeText(document));
    expect(read).toEqual({ document });
  });

  it.each([
    ['{"name": "x",}', 13, 'comma too many'],
    ['{"name": "x" "id": "y"}', 13, 'comma is missing'],
    ['{"name": "x"', 12, 'ends too early'],
    ["{'name': 1}", 1, 'double quotation marks'],
    ['{"sigma": NaN}', 10, 'N is not expected'],
  ])('says where %s is not JSON', (text, offset, words) => {
    const read = readText(text);
    if (!('mistake' in read)) throw new Error('was read');
    expect(read.mistake.offset).toBe(offset);
    expect(read.mistake.message).toContain(words);
  });

  it.each([
    ['[]', '', 'A pipeline is an object'],
    ['{"id": "x", "name": "y"}', '', '"steps" must be a list'],
    ['{"id": "x", "name": "y", "steps": [{"name": "z"}]}', 'steps.0', '"function" is missing'],
    ['{"id": "x", "name": "y", "steps": [{"name": "z", "function": 7}]}', 'steps.0.function', 'must be a text'],
    [
      '{"id": "x", "name": "y", "steps": [], "parameters": [{"name": "a", "title": "b", "parameter": "c", "step": -1}]}',
      'parameters.0.step',
      'the number of a step',
    ],
  ])('refuses %s, which no form could show', (text, path, words) => {
    const read = readText(text);
    if (!('mistake' in read)) throw new Error('was read');
    expect(read.mistake.path).toBe(path);
    expect(read.mistake.message).toContain(words);
  });

  it('lets a text leave out what has a default', () => {
    const read = readText('{"id": "x", "name": "y", "steps": [{"name": "z", "function": "own:measure"}]}');
    expect(read).toMatchObject({ document: { description: '', parameters: [], steps: [{ parameters: {} }] } });
  });

  it('drops what the server writes out of habit, but no value of a step', () => {
    const [step] = three().steps as [Step];
    const sent = {
      ...step,
      parameters: { sigma: null },
      channels: null,
      grouping: null,
      input: 'previous' as const,
      enabled: true,
    };
    const exposed = { ...(expose(three(), 0, SIGMA).parameters[0] as object), default: null, choices: null };
    const tidy = tidied({ ...three(), steps: [sent], parameters: [exposed as never], golden_wells: [] });
    expect(tidy.steps).toEqual([{ name: 'Smooth', function: SMOOTH.id, parameters: { sigma: null } }]);
    expect(tidy.parameters[0]).toMatchObject({ default: null });
    expect(Object.keys(tidy)).not.toContain('golden_wells');
    expect(Object.keys(tidy.parameters[0] as object)).not.toContain('choices');
  });
});

describe('differences', () => {
  it('finds none between equal documents', () => {
    expect(differencesOf(three(), { ...three(), version: 9 }).none).toBe(true);
    const written = { ...three(), steps: three().steps.map((step) => ({ ...step, enabled: true, channels: null })) };
    expect(differencesOf(three(), written).none).toBe(true);
  });

  it('tells added, removed, moved and changed steps apart', () => {
    const before = three();
    const moved = moveStep(before, 0, 2);
    const changed = setParameter(changeStep(moved, 0, { enabled: false }), 0, 'channel', 2);
    const after = addStep(removeStep(changed, 1), 2, GONE);
    const told = differencesOf(before, after).steps.map((step) => [step.kind, step.name, step.before, step.after]);
    expect(told).toEqual([
      ['changed', 'Find nuclei', 1, 0],
      ['moved', 'Smooth', 0, 1],
      ['added', 'Gone', null, 2],
      ['removed', 'Measure', 2, null],
    ]);
    const find = differencesOf(before, after).steps.find((step) => step.name === 'Find nuclei');
    expect(find?.parameters).toEqual([{ what: 'channel', before: 1, after: 2 }]);
    expect(find?.settings).toEqual([{ what: 'enabled', before: true, after: false }]);
  });

  it('calls a step moved only when its order changed, not when others came or went before it', () => {
    const before = three();
    const kinds = (after: EditedDocument) => differencesOf(before, after).steps.map((step) => step.kind);
    expect(kinds(addStep(before, 0, GONE))).toEqual(['added', 'same', 'same', 'same']);
    expect(kinds(removeStep(before, 0))).toEqual(['removed', 'same', 'same']);
    expect(kinds(moveStep(before, 0, 2)).filter((kind) => kind === 'moved')).toHaveLength(1);
  });

  it('tells a new title and a new help of what is shown', () => {
    const before = expose(three(), 0, SIGMA);
    expect(differencesOf(before, changeExposed(before, 0, 'sigma', { title: 'Softness' })).exposed).toEqual([
      { what: 'Softness', before: '“Sigma” 1 pixels, 0.1 to 50', after: '“Softness” 1 pixels, 0.1 to 50' },
    ]);
    expect(differencesOf(before, changeExposed(before, 0, 'sigma', { help: 'How soft.' })).exposed).toEqual([
      { what: 'Sigma, help', before: '', after: 'How soft.' },
    ]);
  });

  it('follows what is shown on the run page to where its step stands now', () => {
    const before = expose(three(), 0, SIGMA);
    expect(differencesOf(before, moveStep(before, 0, 2)).exposed).toEqual([]);
    expect(differencesOf(before, hide(before, 0, 'sigma')).exposed).toMatchObject([{ what: 'Sigma', after: null }]);
    const [change] = differencesOf(before, setParameter(before, 0, 'sigma', 4)).exposed;
    expect(change).toMatchObject({ before: '1 pixels, 0.1 to 50', after: '4 pixels, 0.1 to 50' });
  });
});

describe('searching', () => {
  const found = (query: string, all = false) =>
    searchCatalogue(CATALOGUE, query, all).map(({ name, functions }) => [name, functions.map((entry) => entry.title)]);

  it('groups by category and leaves out what is not offered until asked', () => {
    expect(found('')).toEqual([
      ['Filter', ['Smooth']],
      ['Segmentation', ['Find nuclei']],
      ['Other', ['Measure']],
    ]);
    expect(found('gone')).toEqual([]);
    expect(found('gone', true)).toEqual([['Other', ['Gone']]]);
  });

  it('finds by title, help, category, library, name and what it gives; every word counts', () => {
    for (const query of ['smo', 'gaussian', 'FILTER', 'blur', 'sigma']) expect(found(query)[0]?.[1]).toContain('Smooth');
    expect(found('omero-openhcs nuclei')).toEqual([['Segmentation', ['Find nuclei']]]);
    expect(found('nuclei banana')).toEqual([]);
  });

  it('puts a hit in the title first', () => {
    expect(found('nuclei')[0]).toEqual(['Segmentation', ['Find nuclei']]);
    const more = ['Smooth objects', 'Smooth (median)', 'Very smooth'].map((title) =>
      info(`own:${title}`, title, { category: 'filter' }),
    );
    const [first] = searchCatalogue([...more, SMOOTH], 'smooth', false);
    expect(first?.functions.map((entry) => entry.title)).toEqual([
      'Smooth',
      'Smooth objects',
      'Smooth (median)',
      'Very smooth',
    ]);
  });
});

describe('controls', () => {
  it('moves sliders in round steps, and in ratios over wide ranges', () => {
    const plain = scaleOf({ integer: false, minimum: 0, maximum: 1 });
    expect([plain.step, plain.value(0.30000000000000004)]).toEqual([0.01, 0.3]);
    const wide = scaleOf({ integer: true, minimum: 0, maximum: 65535 });
    expect([wide.value(0), wide.value(200), wide.value(100)]).toEqual([0, 65535, 250]);
    const ratio = scaleOf({ integer: false, minimum: 0.1, maximum: 50 });
    expect([ratio.value(0), ratio.value(200)]).toEqual([0.1, 50]);
    for (const value of [0.1, 1, 7, 50]) expect(ratio.value(ratio.position(value))).toBeCloseTo(value, 1);
  });

  it('reads lists', () => {
    expect(readList('1, 2.5,', false)).toEqual([1, 2.5]);
    expect(readList('a, 2', true)).toEqual(['a', '2']);
    expect(readList(' , ', false)).toBeNull();
  });

  it('finds the problem of a path or of what is within it', () => {
    const problems = { 'steps.1.parameters.sigma.float': 'Too large.', 'steps.10': 'No.' };
    expect(problemAt(problems, 'steps.1.parameters.sigma')).toBe('Too large.');
    expect(problemAt(problems, 'steps.1')).toBe('Too large.');
    expect(problemOf(problems, 'steps.1')).toBe('');
    expect(problemAt(problems, 'steps.2')).toBe('');
  });

  it('keeps drafts apart and ignores what is no draft', () => {
    const draft = { document: three(), basedOn: 3, at: '2026-01-01T10:00:00Z' };
    draftBox('3:mine').write(draft);
    expect(draftBox('3:mine').read()).toEqual(draft);
    expect(draftBox('4:mine').read()).toBeNull();
    sessionStorage.setItem('openhcs-draft:5:mine', '{"document": []}');
    expect(draftBox('5:mine').read()).toBeNull();
    draftBox('3:mine').clear();
    expect(draftBox('3:mine').read()).toBeNull();
  });
});
