// SPDX-License-Identifier: AGPL-3.0-or-later
/** The editor's page: puts its parts together and decides what happens when something is saved, undone or left. */

import { attachTabs } from '../pages/parts/tabs';
import { confirmed } from '../pages/parts/confirm';
import { createApi } from '../shared/api';
import type { FunctionInfo } from '../shared/contracts';
import { byId, make, showNotice } from '../shared/dom';
import { readPageData } from '../shared/page-data';
import { createAboutForm } from './about';
import { readCatalogue } from './catalogue';
import { askAboutConflict } from './conflict';
import { type EditedDocument, emptyDocument, slug, tidied } from './document';
import { draftBox, IMPORTED } from './draft';
import { keepDrafts } from './draft-keeping';
import { createFunctionDialog } from './function-dialog';
import { guardLeaving } from './guard';
import { createJsonView } from './json-view';
import { createMeasurementTable } from './measurements';
import { createProblemList } from './problem-list';
import { type Problems, ofDocument } from './problems';
import { createRunPageList } from './run-page';
import { type SaveResult, saveNew, saveVersion } from './saving';
import { createStepList } from './step-list';
import { type Origin, createStore } from './store';
import { createValidation } from './validation';
import { createVersionsView, readVersions } from './versions';

/** What `pipeline_editor.html` writes. */
interface EditorPageData {
  api: string;
  pipelines_base: string;
  login: string;
  user_id: number;
  /** What is edited, null for an empty pipeline; and what of it is stored, null when nothing is. */
  document: EditedDocument | null;
  saved: EditedDocument | null;
  /** The id that drafts are kept under. */
  draft: string;
  channels: string[] | null;
  plate_id: number | null;
}

const data = readPageData<EditorPageData>();
const api = createApi(data.api);
const page = document.querySelector<HTMLElement>('.oh-page') ?? document.body;
const forms = byId<HTMLFieldSetElement>('oh-forms');
const status = byId('oh-announce');
const notice = byId('oh-editor-notice');
const state = byId('oh-editor-state');
const saveButton = byId<HTMLButtonElement>('oh-save');
const undoButton = byId<HTMLButtonElement>('oh-undo');
const redoButton = byId<HTMLButtonElement>('oh-redo');

data.saved = data.saved && tidied(data.saved);
const store = createStore(startingDocument(), data.saved);
let basedOn = data.saved?.version ?? 0;
let functions: ReadonlyMap<string, FunctionInfo> = new Map();
let functionsKnown = false;
let problems: Problems = {};
let checked = false;
let saving = false;

function startingDocument(): EditedDocument {
  if (!data.document) return emptyDocument();
  const document = tidied(data.document);
  return data.saved ? document : { ...document, id: slug(document.name) };
}

function announce(text: string): void {
  status.textContent = text;
}

// ----------------------------------------------------------------- parts

const drafts = keepDrafts({
  drafts: draftBox(`${data.user_id}:${data.draft}`),
  store,
  unsaved,
  basedOn: () => basedOn,
  onRestore(draft) {
    // Based on what it was based on: should there be a newer version by now, saving says so.
    if (draft.basedOn !== null && data.saved !== null) basedOn = draft.basedOn;
    store.restore(tidied(draft.document));
  },
});
const guard = guardLeaving(() => unsaved() || jsonView.mistake !== '', drafts.clear);
const dialog = createFunctionDialog(page);
const about = createAboutForm(store, data.saved === null);
const steps = createStepList({
  host: byId('oh-step-list'),
  scroller: page,
  store,
  choose: (at) => void addStepAt(at),
  announce,
});
const runPage = createRunPageList(byId('oh-panel-run'), store);
const measurements = createMeasurementTable(byId('oh-panel-measurements'), store);
const jsonView = createJsonView({
  host: byId('oh-json'),
  store,
  fixedId: data.saved?.id ?? null,
  onMistake: showTextMistake,
});
const versions = createVersionsView({
  host: byId('oh-panel-versions'),
  read: async () => (data.saved === null ? [] : readVersions(api, data.saved.id)),
  edited: () => store.document,
  functions: () => functions,
});
const problemList = createProblemList({ store, functions: () => functions, reveal, goToText });
const tabs = attachTabs(byId('oh-side'), (panel) => panel.id === 'oh-panel-versions' && versions.refresh());
const validation = createValidation({
  api,
  document: () => store.document,
  channels: data.channels,
  onReport(report) {
    checked = true;
    // A page that nobody has written on yet does not begin with what is missing.
    problems = store.document === first && first.steps.length === 0 ? {} : report.field_errors;
    show(null);
  },
  onTrouble(error) {
    checked = false;
    state.textContent = `Not checked: ${error instanceof Error ? error.message : String(error)}`;
  },
});

// ----------------------------------------------------------------- showing

const first = store.document;

/** Whether something would be lost; a new pipeline or a copy on which nothing was done yet would not. */
function unsaved(): boolean {
  return store.dirty && (data.saved !== null || store.document !== first);
}

function show(origin: Origin | null): void {
  steps.update({ functions, functionsKnown, channels: data.channels, problems });
  about.update(problems);
  runPage.update(problems);
  measurements.update(problems);
  jsonView.update(origin, problems);
  showCounts();
  showState();
}

function showCounts(): void {
  const { parameters, measurements: described, steps: all } = store.document;
  byId('oh-count-run').textContent = String(parameters.length);
  byId('oh-count-measurements').textContent = String(new Set(described.map((entry) => entry.name)).size);
  byId('oh-no-steps').hidden = all.length > 0;
}

function showState(): void {
  const { past, future } = store.history;
  undoButton.disabled = past.length === 0;
  redoButton.disabled = future.length === 0;
  const count = Object.keys(problems).length;
  const all = store.document.steps.length;
  const wrong = count === 0 ? '' : count === 1 ? '1 mistake' : `${count} mistakes`;
  const known =
    data.saved === null && basedOn === 0 ? 'Not saved yet' : store.dirty ? 'Unsaved changes' : `Version ${basedOn}, saved`;
  state.textContent = [known, wrong || (checked && store.dirty && all > 0 ? 'no mistakes' : '')].filter(Boolean).join(' · ');
  state.classList.toggle('oh-state-wrong', count > 0);
  state.classList.toggle('oh-state-dirty', store.dirty);
  saveButton.textContent = saving ? 'Saving…' : basedOn === 0 ? 'Save pipeline' : `Save as version ${basedOn + 1}`;
  saveButton.disabled = saving || !store.dirty;
  byId('oh-revert').hidden = !store.dirty || data.saved === null;
  problemList.update(problems);
}

function reveal(control: HTMLElement): void {
  const panel = control.closest<HTMLElement>('[role="tabpanel"]');
  const tab = panel ? document.querySelector<HTMLElement>(`[aria-controls="${panel.id}"]`) : null;
  if (tab) tabs.choose(tab);
  steps.reveal(control);
}

function goToText(): void {
  tabs.choose(byId('oh-tab-json'));
  jsonView.focus();
}

/** While the text cannot be read the forms stay as they were, and rest. */
function showTextMistake(told: string): void {
  const box = byId('oh-text-mistake');
  box.hidden = told === '';
  byId('oh-text-mistake-words').textContent = told;
  forms.inert = told !== '';
  forms.classList.toggle('oh-resting', told !== '');
}

let order = store.keys;

store.subscribe((origin) => {
  checked = false;
  // Problems are told by place: after a step was moved they would stand at another one.
  if (store.keys.join() !== order.join()) problems = {};
  order = store.keys;
  show(origin);
  validation.ask();
  drafts.touch();
});

// ----------------------------------------------------------------- adding, undoing

async function addStepAt(at: number): Promise<void> {
  const back = document.activeElement;
  const info = await dialog.choose();
  if (info) steps.insert(at, info);
  else if (back instanceof HTMLElement) back.focus();
}

function undo(): void {
  if (jsonView.mistake) jsonView.discard();
  else store.undo();
}

function redo(): void {
  if (!jsonView.mistake) store.redo();
}

byId('oh-add-step').addEventListener('click', () => void addStepAt(store.document.steps.length));
undoButton.addEventListener('click', undo);
redoButton.addEventListener('click', redo);
byId('oh-discard-text').addEventListener('click', () => {
  jsonView.discard();
  jsonView.focus();
});

/** Within a text field these keys belong to the field. */
function isTextField(element: EventTarget | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  if (element.isContentEditable || element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && !['checkbox', 'radio', 'range', 'button'].includes(element.type);
}

document.addEventListener('keydown', (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector('dialog[open]')) return;
  const key = event.key.toLowerCase();
  if (key === 's') {
    event.preventDefault();
    void save();
  } else if ((key === 'z' || key === 'y') && !isTextField(event.target)) {
    event.preventDefault();
    if (key === 'y' || event.shiftKey) redo();
    else undo();
  }
});

// ----------------------------------------------------------------- saving

async function save(): Promise<void> {
  if (saving) return;
  if (jsonView.mistake) {
    goToText();
    announce(jsonView.mistake);
    return;
  }
  if (!store.dirty) return;
  await attempt((document) => (basedOn === 0 ? saveNew(api, document) : saveVersion(api, document, basedOn)));
}

async function attempt(post: (document: EditedDocument) => Promise<SaveResult>): Promise<void> {
  saving = true;
  showNotice(notice, '');
  showState();
  let result: SaveResult;
  try {
    result = await post(store.document);
  } finally {
    saving = false;
    showState();
  }
  await after(result);
}

async function after(result: SaveResult): Promise<void> {
  switch (result.kind) {
    case 'saved':
      adopt(result.document);
      return;
    case 'mistakes':
      problems = ofDocument(result.fieldErrors);
      show(null);
      announce('The pipeline has mistakes, so it was not saved.');
      problemList.focusFirst();
      return;
    case 'conflict':
      await resolveConflict();
      return;
    case 'signed_out':
      comeBackLater(result.message, `${data.login}?url=${encodeURIComponent(here())}`, 'Log in and come back here');
      return;
    case 'outdated':
      comeBackLater(result.message, here(), 'Reload this page');
      return;
    case 'failed':
      showNotice(notice, `Not saved: ${result.message}`);
      return;
  }
}

function here(): string {
  return location.pathname + location.search;
}

/** The changes wait in this tab until the page is here again. */
function comeBackLater(message: string, address: string, words: string): void {
  drafts.write();
  const link = make('a', { href: address }, words);
  link.addEventListener('click', () => guard.release());
  notice.replaceChildren(`${message} Your changes are kept in this tab. `, link);
  notice.hidden = false;
  link.focus();
}

/** The server chose id and version. A new pipeline has an address of its own, so that is where the page goes. */
function adopt(answer: EditedDocument): void {
  drafts.clear();
  if (data.saved === null || answer.id !== data.saved.id) {
    guard.release();
    location.assign(`${data.pipelines_base}${answer.id}/${data.plate_id === null ? '' : `?plate=${data.plate_id}`}`);
    return;
  }
  data.saved = answer;
  basedOn = answer.version;
  store.saved(answer);
  const choice = document.querySelector<HTMLSelectElement>('#oh-version');
  if (choice && ![...choice.options].some((option) => option.value === String(answer.version))) {
    choice.prepend(make('option', { value: answer.version }, String(answer.version)));
    choice.value = String(answer.version);
  }
  if (!byId('oh-panel-versions').hidden) versions.refresh();
  // What the server wrote below the editor is about the version before.
  document
    .getElementById('oh-of-saved')
    ?.replaceChildren(
      make('p', { class: 'oh-hint' }, make('a', { href: here() }, `Golden wells of version ${answer.version}`)),
    );
  announce(`Saved as version ${answer.version}.`);
}

async function resolveConflict(): Promise<void> {
  const id = data.saved?.id ?? store.document.id;
  const newest = await readVersions(api, id)
    .then((found) => found[0] ?? null)
    .catch(() => null);
  const choice = await askAboutConflict(page, store.document, newest, functions);
  if (choice === 'load' && newest) {
    data.saved = newest;
    basedOn = newest.version;
    store.load(newest);
    announce(`Version ${newest.version} was loaded.`);
  } else if (choice === 'above' && newest) {
    await attempt((document) => saveVersion(api, document, newest.version));
  } else if (choice === 'copy') {
    await attempt((document) => {
      const name = `${document.name.slice(0, 110)} (copy)`;
      return saveNew(api, { ...document, name, id: slug(name) });
    });
  }
}

saveButton.addEventListener('click', () => void save());
byId('oh-revert').addEventListener('click', () => {
  void confirmed(
    'Drop your changes?',
    'The pipeline is shown as it was saved last. You can still undo this.',
    'Drop my changes',
  ).then((yes) => {
    if (yes && data.saved) store.restore(data.saved);
  });
});

// ----------------------------------------------------------------- start

show('server');
if (data.draft === IMPORTED) drafts.take();
else drafts.offer();
validation.ask();
void readCatalogue(api).then(
  (found) => {
    functions = new Map(found.map((info) => [info.id, info]));
    functionsKnown = true;
    dialog.setFunctions(found, '');
    show(null);
  },
  (error: unknown) => {
    const told = `The catalogue of functions cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    dialog.setFunctions([], told);
    showNotice(notice, told);
  },
);
// Until here nothing would have been done with what is typed or pressed.
forms.disabled = false;
document.documentElement.dataset.ohEditor = 'ready';
