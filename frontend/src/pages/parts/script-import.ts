// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The dialog that brings in an OpenHCS script: the service reads it, each line that matters is told, and the editor opens what
 * was understood. Nothing of the script is run, and nothing is saved before the user saves it in the editor.
 */

import { draftBox, IMPORTED } from '../../editor/draft';
import type { EditedDocument } from '../../editor/document';
import type { Api } from '../../shared/api';
import { make, showNotice } from '../../shared/dom';

/** What became of a place in the script; lines are counted from 1. */
export interface ImportNote {
  line: number;
  column: number;
  severity: 'info' | 'warning' | 'error';
  message: string;
}

/** The answer of `pipelines/import-python/`. */
export interface ImportedPipeline {
  document: EditedDocument | null;
  notes: ImportNote[];
  field_errors: Record<string, string>;
}

const WORDS = { info: 'Understood', warning: 'Left out or changed', error: 'Not read' } as const;

/** Read the script and show what it says. Throws what the API throws. */
export async function readScript(api: Api, name: string, source: string): Promise<ImportedPipeline> {
  return api.post<ImportedPipeline>('pipelines/import-python/', { source, name });
}

/** One sentence for all of it. */
export function summaryOf({ document, notes, field_errors: wrong }: ImportedPipeline): string {
  if (!document) return 'No pipeline could be read from this script.';
  const count = document.steps.length;
  const steps = count === 1 ? '1 step was read' : `${count} steps were read`;
  const missing = notes.filter((note) => note.severity !== 'info').length;
  const places = missing === 1 ? '1 place is' : `${missing} places are`;
  const rest = missing === 0 ? 'nothing was left out' : `${places} not in ${count === 1 ? 'it' : 'them'}`;
  const mistakes = Object.keys(wrong).length;
  const still = mistakes === 0 ? '' : ' The editor shows what has to be put right before it can be saved.';
  return `${steps}; ${rest}.${still}`;
}

/** The notes as a table, beside each the line of the script that it is about. */
export function tableOf(notes: readonly ImportNote[], source: string): HTMLTableElement {
  const lines = source.split(/\r\n|\r|\n/);
  const rows = notes.map((note) =>
    make(
      'tr',
      { class: `oh-import-${note.severity}` },
      make('td', {}, String(note.line)),
      make('td', {}, WORDS[note.severity]),
      make('td', {}, make('code', {}, (lines[note.line - 1] ?? '').trim().slice(0, 160)), make('div', {}, note.message)),
    ),
  );
  const heads = ['Line', '', 'What became of it'].map((head) => make('th', { scope: 'col' }, head));
  return make(
    'table',
    { class: 'oh-table oh-import-notes' },
    make('caption', { class: 'oh-visually-hidden' }, 'What became of the script, line by line'),
    make('thead', {}, make('tr', {}, ...heads)),
    make('tbody', {}, ...rows),
  );
}

/** Show the dialog; *Open in the editor* hands the document to the editor's page as a draft. */
export function showImport(dialog: HTMLDialogElement, file: string, source: string, imported: ImportedPipeline): void {
  const part = (name: string) => dialog.querySelector<HTMLElement>(`[data-oh-import="${name}"]`)!;
  part('file').textContent = file;
  part('summary').textContent = summaryOf(imported);
  part('notes').replaceChildren(imported.notes.length > 0 ? tableOf(imported.notes, source) : '');
  part('open').hidden = imported.document === null;
  const trouble = part('trouble');
  showNotice(trouble, '');
  part('open').onclick = () => {
    if (!imported.document) return;
    const drafts = draftBox(`${dialog.dataset.ohUser}:${IMPORTED}`);
    drafts.write({ document: imported.document, basedOn: null, at: new Date().toISOString() });
    if (drafts.read()) location.assign(dialog.dataset.ohEditor ?? '');
    else showNotice(trouble, 'This browser does not let pages keep anything, so the editor cannot be opened with it.');
  };
  part('close').onclick = () => dialog.close();
  dialog.showModal();
}
