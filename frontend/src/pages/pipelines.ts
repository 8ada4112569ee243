// SPDX-License-Identifier: AGPL-3.0-or-later
/** The list of pipelines: results while you type, the actions of each line, and bringing in a file. */

import { ApiError, type Api, createApi } from '../shared/api';
import { byId, showNotice } from '../shared/dom';
import { attachLiveSearch } from './parts/live-search';
import { attachMenus } from './parts/menus';
import { attachPipelineActions } from './parts/pipeline-actions';
import { readScript, showImport } from './parts/script-import';

const page = document.querySelector<HTMLElement>('.oh-page[data-oh-api]');
if (page?.dataset.ohApi) attach(page, createApi(page.dataset.ohApi));

function attach(page: HTMLElement, api: Api): void {
  const trouble = byId('oh-import-refusal');
  const search = attachLiveSearch(byId<HTMLFormElement>('oh-search'), 'oh-found', (text) => showNotice(trouble, text));
  attachMenus();
  attachPipelineActions(page, api, ({ to }) => {
    if (to) openPipeline(to);
    else void search.refresh();
  });
  const button = document.getElementById('oh-import');
  const chooser = document.getElementById('oh-import-file') as HTMLInputElement | null;
  button?.addEventListener('click', () => chooser?.click());
  chooser?.addEventListener('change', () => {
    const file = chooser.files?.[0];
    if (file) void (file.name.endsWith('.py') ? bringInScript : bringIn)(api, file, trouble);
    chooser.value = '';
  });
}

/** Save the document in a file as a new pipeline of the user's own, or say what is wrong with it. */
async function bringIn(api: Api, file: File, trouble: HTMLElement): Promise<void> {
  showNotice(trouble, '');
  let document: unknown;
  try {
    document = JSON.parse(await file.text());
  } catch {
    showNotice(trouble, `${file.name} is not a pipeline: it is not JSON.`);
    return;
  }
  try {
    const saved = await api.post<{ id: string }>('pipelines/', { document, as_copy: true });
    openPipeline(saved.id);
  } catch (error) {
    showNotice(trouble, `${file.name} was not imported. ${sentences(error)}`);
  }
}

/** Show what an OpenHCS script says; it is saved in the editor, if at all. */
async function bringInScript(api: Api, file: File, trouble: HTMLElement): Promise<void> {
  showNotice(trouble, '');
  try {
    const source = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
    const imported = await readScript(api, file.name.replace(/\.py$/, '').slice(0, 120), source);
    showImport(byId<HTMLDialogElement>('oh-dialog-import'), file.name, source, imported);
  } catch (error) {
    const said = error instanceof TypeError ? 'It is not text in UTF-8.' : sentences(error);
    showNotice(trouble, `${file.name} was not imported. ${said}`);
  }
}

function sentences(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const fields = Object.entries(error.fieldErrors).map(([path, problem]) => `${path.replace(/^document\./, '')}: ${problem}`);
  return [error.message, ...fields].join('\n');
}

function openPipeline(id: string): void {
  location.assign(new URL(`${encodeURIComponent(id)}/`, new URL(location.pathname, location.origin)).href);
}
