// SPDX-License-Identifier: AGPL-3.0-or-later
// @vitest-environment jsdom
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Api } from '../../shared/api';
import { createDeletion } from './delete-results';
import { createSavingForm } from './saving-options';

const TEMPLATE = '../src/omero_openhcs/templates/omero_openhcs/includes/saving_options.html';
const VALUES = {
  plate: '<img src=x>',
  pipeline: 'Count',
  version: '1',
  date: '2026-11-25',
  user: 'Ada',
  execution: '1a2b3c4d',
};

const field = <T extends HTMLElement = HTMLInputElement>(name: string): T => document.getElementById(name) as T;

function change(name: string, value: string): void {
  field(name).value = value;
  field(name).dispatchEvent(new Event('input', { bubbles: true }));
}

describe('the form of the page', () => {
  beforeEach(() => {
    const filled = readFileSync(TEMPLATE, 'utf8')
      .replace('{{ saving.rois_per_field }}', '1000')
      .replace('{{ saving.rois_per_run }}', '20000')
      .replace('{{ saving.name }}', '{plate} v{version}')
      .replaceAll('{{ dataset.dataset_id }}', '77')
      .replaceAll('{{ dataset.name }}', 'Mine')
      .replace(/\{%.*?%\}/g, '');
    document.body.innerHTML = filled;
  });

  it('saves label images and the table unless something else is chosen', () => {
    expect(createSavingForm().options()).toEqual({
      labels: true,
      processed: false,
      table: true,
      figures: false,
      rois: 'none',
      rois_per_field: 1000,
      rois_per_run: 20000,
      target: 'plate',
      dataset_id: null,
      name: '{plate} v{version}',
      tags: [],
    });
  });

  it('previews the name as text, whatever the plate is called', () => {
    const form = createSavingForm();
    form.show(VALUES, null);
    expect(field('oh-saving-preview').textContent).toBe('Name: <img src=x> v1');
    expect(field('oh-saving-preview').querySelector('img')).toBeNull();
    change('oh-saving-name', '{owner}');
    expect(field('oh-saving-problem').textContent).toContain('There is no {owner}');
    expect(field('oh-saving-preview').textContent).toBe('');
  });

  it('takes a dataset and tags', () => {
    const form = createSavingForm();
    change('oh-saving-target', 'dataset:77');
    change('oh-saving-tags', ' a, {pipeline} ,');
    expect(form.options()).toMatchObject({ target: 'dataset', dataset_id: 77, tags: ['a', '{pipeline}'] });
  });

  it('shows caps with ROIs only, and a refusal beside them', () => {
    const form = createSavingForm();
    form.show(VALUES, null);
    expect(field('oh-saving-caps').hidden).toBe(true);
    change('oh-saving-rois', 'masks');
    expect(field('oh-saving-caps').hidden).toBe(false);
    expect(form.showErrors({ 'saving.rois_per_run': 'Too many.' })).toEqual({});
    expect(field('oh-saving-problem').textContent).toBe('Too many.');
    expect(field<HTMLDetailsElement>('oh-saving').open).toBe(true);
  });
});

describe('the button that deletes', () => {
  beforeEach(() => {
    document.body.innerHTML =
      '<div id="oh-deletion" hidden></div><ul id="oh-saved-links"></ul><button id="oh-delete-results" hidden></button>';
    HTMLDialogElement.prototype.showModal = function () {
      this.open = true;
    };
  });

  const plan = { execution_id: 'x', items: [{ kind: 'plate', count: 1, names: ['P'] }], kept: [], total: 1, digest: 'abc' };
  const deleted = {
    state: 'deleted',
    by_name: 'Ada',
    requested_at: '2026-11-25T10:00:00Z',
    ended_at: '2026-11-25T10:00:01Z',
    total: 1,
    done: 1,
    message: '',
  };

  it.each([
    ['yes', 2],
    ['', 1],
  ])('asks first: %s', async (answer, calls) => {
    const post = vi.fn().mockResolvedValueOnce(plan).mockResolvedValueOnce({ deletion: deleted });
    createDeletion({ post } as unknown as Api, 'executions/x/', null).show('completed');
    field('oh-delete-results').click();
    await vi.waitFor(() => expect(document.querySelector('dialog')).not.toBeNull());
    const dialog = document.querySelector('dialog') as HTMLDialogElement;
    expect(dialog.textContent).toContain('1 result plate: P');
    dialog.returnValue = answer;
    dialog.dispatchEvent(new Event('close'));
    await vi.waitFor(() => expect(field('oh-delete-results').hasAttribute('disabled')).toBe(false));
    expect(post).toHaveBeenCalledTimes(calls);
    if (answer === 'yes') {
      expect(post).toHaveBeenLastCalledWith('executions/x/results/delete/', { digest: 'abc' });
      expect(field('oh-deletion').textContent).toContain('Results deleted from OMERO by Ada');
      expect(field('oh-delete-results').hidden).toBe(true);
    }
  });

  it('is there for a run that has ended and still has its results', () => {
    createDeletion({} as Api, 'p/', null).show('running');
    expect(field('oh-delete-results').hidden).toBe(true);
    createDeletion({} as Api, 'p/', null).show('cancelled');
    expect(field('oh-delete-results').hidden).toBe(false);
  });
});
