// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { emptyDocument } from '../../editor/document';
import { draftBox, IMPORTED } from '../../editor/draft';
import { type ImportedPipeline, readScript, showImport, summaryOf, tableOf } from './script-import';

const NOTES: ImportedPipeline['notes'] = [
  { line: 2, column: 1, severity: 'error', message: '<b>A loop</b> is not run.' },
  { line: 9, column: 1, severity: 'info', message: 'Understood.' },
];
const STEP = { name: 'Smooth', function: 'openhcs:gaussian_blur', parameters: {} };
const document_ = { ...emptyDocument(), name: 'Mine', steps: [STEP] };

function answer(change: Partial<ImportedPipeline> = {}): ImportedPipeline {
  return { document: document_, notes: NOTES, field_errors: {}, ...change };
}

describe('what is told about a script', () => {
  it('counts what was read and what was not', () => {
    expect(summaryOf(answer())).toBe('1 step was read; 1 place is not in it.');
    expect(summaryOf(answer({ notes: [] }))).toBe('1 step was read; nothing was left out.');
    expect(summaryOf(answer({ field_errors: { steps: 'x' } }))).toContain('has to be put right');
    expect(summaryOf(answer({ document: null }))).toBe('No pipeline could be read from this script.');
  });

  it('shows each note beside its line, as text', () => {
    const table = tableOf(NOTES, 'a = 1\r\n  for <i>x</i> in y: pass\r\n');
    const [first, last] = table.tBodies[0]!.rows;
    expect(first!.cells[0]!.textContent).toBe('2');
    expect(first!.querySelector('code')!.textContent).toBe('for <i>x</i> in y: pass');
    expect(first!.cells[2]!.textContent).toContain('<b>A loop</b>');
    expect(last!.querySelector('code')!.textContent).toBe('');
    expect(table.querySelector('b, i')).toBeNull();
  });

  it('sends the text and the name', async () => {
    const post = vi.fn().mockResolvedValue(answer());
    const api = { post, get: vi.fn(), delete: vi.fn(), url: vi.fn() };
    await readScript(api, 'screen', 'x = 1');
    expect(post).toHaveBeenCalledWith('pipelines/import-python/', { source: 'x = 1', name: 'screen' });
  });
});

describe('the dialog', () => {
  beforeEach(() => {
    sessionStorage.clear();
    document.body.innerHTML = `<dialog data-oh-user="3" data-oh-editor="#new"><code data-oh-import="file"></code>
      <b data-oh-import="summary"></b><div data-oh-import="notes"></div><p data-oh-import="trouble" hidden></p>
      <button data-oh-import="open"></button><button data-oh-import="close"></button></dialog>`;
  });

  function open(imported: ImportedPipeline): (name: string) => HTMLElement {
    const dialog = document.querySelector('dialog')!;
    // jsdom has no modal dialogs.
    dialog.showModal = vi.fn();
    showImport(dialog, 'a.py', 'x = 1', imported);
    expect(dialog.showModal).toHaveBeenCalled();
    return (name) => dialog.querySelector<HTMLElement>(`[data-oh-import="${name}"]`)!;
  }

  it('hands the document to the editor as a draft', () => {
    const part = open(answer());
    expect(draftBox(`3:${IMPORTED}`).read()).toBeNull();
    part('open').click();
    expect(draftBox(`3:${IMPORTED}`).read()?.document.steps).toEqual([STEP]);
    expect(location.hash).toBe('#new');
  });

  it('offers no editor when there is nothing to edit', () => {
    expect(open(answer({ document: null }))('open').hidden).toBe(true);
  });

  it('says so when the browser keeps nothing', () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full');
    });
    const part = open(answer());
    part('open').click();
    expect(part('trouble').hidden).toBe(false);
  });
});
