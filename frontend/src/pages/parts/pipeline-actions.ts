// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The buttons of a pipeline (copy, rename, share, deprecate, delete) and their dialogs, which the template wrote.
 *
 * A refused change leaves its dialog open with what was entered, so that nothing has to be typed twice.
 */

import type { Api } from '../../shared/api';
import { showNotice } from '../../shared/dom';
import { showSharingQuestion } from './sharing-question';

/** The pipeline that a button belongs to, as the template wrote it. */
export interface Target {
  id: string;
  name: string;
  revision: number;
  tags: string;
  group: string;
  versions: string;
}

/** What happened: `to` is the id of a pipeline made now. */
export interface Done {
  action: string;
  to?: string | undefined;
}

const LONGEST_NAME = 120;

/** Make every button in `root` work, also those that come later; `done` is called after each change. */
export function attachPipelineActions(root: HTMLElement, api: Api, done: (what: Done) => void): void {
  const attached = new Set<HTMLDialogElement>();
  root.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-oh-action]');
    const action = button?.dataset.ohAction;
    if (!button || !action) return;
    const target = targetOf(button);
    if (!target) return;
    if (action === 'undeprecate') {
      void recommendAgain(button, api, target, done);
      return;
    }
    const dialog = document.getElementById(`oh-dialog-${action}`) as HTMLDialogElement | null;
    if (!dialog) return;
    if (!attached.has(dialog)) attachDialog(dialog, action, api, done);
    attached.add(dialog);
    open(dialog, action, target);
    const question = dialog.querySelector<HTMLElement>('[data-oh-sharing-check]');
    if (question) void showSharingQuestion(question, api, target.id);
  });
}

/** Tags as they are typed: `a, b,, a` are two. */
export function tagsOf(text: string): string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** The name that a copy gets unless another one is typed. */
export function nameOfCopy(name: string): string {
  const ending = ' (copy)';
  return name.slice(0, LONGEST_NAME - ending.length) + ending;
}

function targetOf(button: HTMLElement): Target | undefined {
  const data = button.closest<HTMLElement>('[data-oh-pipeline]')?.dataset;
  if (!data?.ohPipeline) return undefined;
  return {
    id: data.ohPipeline,
    name: data.ohName ?? '',
    revision: Number(data.ohRevision ?? 0),
    tags: data.ohTags ?? '',
    group: data.ohGroup ?? '',
    versions: data.ohVersions ?? '',
  };
}

const targets = new WeakMap<HTMLDialogElement, Target>();

function open(dialog: HTMLDialogElement, action: string, target: Target): void {
  targets.set(dialog, target);
  for (const place of dialog.querySelectorAll<HTMLElement>('[data-oh-fill]')) {
    place.textContent = place.dataset.ohFill === 'versions' ? target.versions : target.name;
  }
  for (const field of dialog.querySelectorAll<HTMLInputElement>('input')) field.value = valueOf(field.name, action, target);
  const groups = dialog.querySelector<HTMLSelectElement>('[data-oh-groups]');
  if (groups) {
    for (const option of groups.options) option.disabled = action === 'share' && option.value === target.group;
    const free = [...groups.options].find(
      (option) => !option.disabled && (action === 'share' || option.value === target.group),
    );
    groups.value = (free ?? [...groups.options].find((option) => !option.disabled))?.value ?? '';
    tellPrivate(dialog);
  }
  refuse(dialog, '');
  dialog.showModal();
}

function valueOf(field: string, action: string, target: Target): string {
  if (field === 'name') return action === 'copy' ? nameOfCopy(target.name) : target.name;
  return field === 'tags' ? target.tags : '';
}

function attachDialog(dialog: HTMLDialogElement, action: string, api: Api, done: (what: Done) => void): void {
  const form = dialog.querySelector('form');
  dialog.querySelector('[data-oh-close]')?.addEventListener('click', () => dialog.close());
  dialog.querySelector('[data-oh-groups]')?.addEventListener('change', () => tellPrivate(dialog));
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    const target = targets.get(dialog);
    if (target) void submit(dialog, form, action, target, api, done);
  });
}

async function submit(
  dialog: HTMLDialogElement,
  form: HTMLFormElement,
  action: string,
  target: Target,
  api: Api,
  done: (what: Done) => void,
): Promise<void> {
  const button = form.querySelector<HTMLButtonElement>('[type="submit"]');
  refuse(dialog, '');
  if (button) button.disabled = true;
  try {
    const to = await change(api, action, target, new FormData(form));
    dialog.close();
    done({ action, to });
  } catch (error) {
    refuse(dialog, error instanceof Error ? error.message : String(error));
  } finally {
    if (button) button.disabled = false;
  }
}

/** Ask the API; resolves to the id of a copy. */
async function change(api: Api, action: string, target: Target, entered: FormData): Promise<string | undefined> {
  const path = `pipelines/${encodeURIComponent(target.id)}/`;
  const text = (name: string) => String(entered.get(name) ?? '').trim();
  const revision = target.revision;
  switch (action) {
    case 'copy': {
      const group = text('group_id');
      const copy = await api.post<{ id: string }>(`${path}copy/`, {
        name: text('name') || undefined,
        group_id: group === '' ? undefined : Number(group),
      });
      return copy.id;
    }
    case 'rename':
      await api.post(`${path}rename/`, { revision, name: text('name'), tags: tagsOf(text('tags')) });
      return undefined;
    case 'share':
      await api.post(`${path}share/`, {
        revision,
        group_id: Number(text('group_id')),
        ...(entered.has('although_unchecked') ? { although_unchecked: true } : {}),
      });
      return undefined;
    case 'deprecate':
      await api.post(`${path}deprecate/`, { revision, note: text('note') });
      return undefined;
    case 'delete':
      await api.delete(`${path}?revision=${revision}`);
      return undefined;
    default:
      throw new Error(`there is no action "${action}"`);
  }
}

async function recommendAgain(button: HTMLElement, api: Api, target: Target, done: (what: Done) => void): Promise<void> {
  try {
    const path = `pipelines/${encodeURIComponent(target.id)}/deprecate/`;
    await api.post(path, { revision: target.revision, deprecated: false });
    done({ action: 'undeprecate' });
  } catch (error) {
    button.textContent = error instanceof Error ? error.message : String(error);
  }
}

function tellPrivate(dialog: HTMLDialogElement): void {
  const chosen = dialog.querySelector<HTMLSelectElement>('[data-oh-groups]')?.selectedOptions[0];
  const note = dialog.querySelector<HTMLElement>('[data-oh-private-note]');
  if (note) note.hidden = chosen?.dataset.ohPrivate === undefined;
}

function refuse(dialog: HTMLDialogElement, text: string): void {
  const notice = dialog.querySelector<HTMLElement>('[data-oh-refusal]');
  if (notice) showNotice(notice, text);
}
