// SPDX-License-Identifier: AGPL-3.0-or-later
/** Deleting what an execution saved in OMERO: exactly what would go is listed first, then it is confirmed and followed. */

import type { Api } from '../../shared/api';
import type { DeletionPlan, ExecutionStatusName, ResultsDeletion } from '../../shared/contracts';
import { isFinal } from '../../shared/contracts';
import { make, showNotice } from '../../shared/dom';
import { count, formatMoment } from './format';

const KINDS: Record<DeletionPlan['items'][number]['kind'], string> = {
  plate: 'result plate',
  dataset: 'dataset',
  image: 'label image',
  table: 'table',
  annotation: 'annotation',
  roi: 'ROI',
  figure: 'figure',
  tag: 'tag',
};

interface Detail {
  deletion: ResultsDeletion | null;
}

/** Milliseconds between two looks while objects are being deleted; events of the page may come sooner. */
const EVERY = 1000;

export interface Deletion {
  /** The execution changed: is there something to delete? */
  show(status: ExecutionStatusName): void;
}

/** Wire the button, which is absent for those who may not delete. */
export function createDeletion(api: Api, path: string, first: ResultsDeletion | null): Deletion {
  const button = document.getElementById('oh-delete-results');
  const notice = document.getElementById('oh-deletion');
  const links = document.getElementById('oh-saved-links');
  let state = first;

  function show(status: ExecutionStatusName): void {
    const busyOrGone = state !== null && state.state !== 'failed';
    if (button) button.hidden = !isFinal(status) || busyOrGone;
    if (links) links.hidden = state?.state === 'deleted';
    if (notice) showNotice(notice, state ? sentenceOf(state) : '');
  }

  async function follow(status: ExecutionStatusName): Promise<void> {
    while (state?.state === 'deleting') {
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      state = (await api.get<Detail>(path)).deletion;
      show(status);
    }
  }

  async function ask(): Promise<void> {
    button?.setAttribute('disabled', '');
    try {
      const plan = await api.post<DeletionPlan>(`${path}results/deletion-plan/`, {});
      if (!(await agreed(plan))) return;
      state = (await api.post<Detail>(`${path}results/delete/`, { digest: plan.digest })).deletion;
      show('completed');
      await follow('completed');
    } catch (error) {
      if (notice) showNotice(notice, error instanceof Error ? error.message : String(error));
    } finally {
      button?.removeAttribute('disabled');
    }
  }

  button?.addEventListener('click', () => void ask());
  if (state?.state === 'deleting') void follow('completed');
  return { show };
}

/** What has become of the deletion, for people. */
export function sentenceOf(deletion: ResultsDeletion): string {
  const who = `${deletion.by_name}, ${formatMoment(deletion.ended_at ?? deletion.requested_at)}`;
  if (deletion.state === 'deleted') return `Results deleted from OMERO by ${who}. Measurements on this page are kept.`;
  if (deletion.state === 'failed') return `Not everything could be deleted from OMERO (${who}). ${deletion.message}`;
  return `Deleting the results from OMERO: ${deletion.done} of ${deletion.total} objects.`;
}

/** The lines of a plan: how many of which kind, and the first names. */
export function linesOf(plan: DeletionPlan): string[] {
  return plan.items.map((item) => {
    const names = item.names.slice(0, 3).join(', ');
    const more = item.count > 3 ? ', …' : '';
    return `${count(item.count, KINDS[item.kind])}${names ? `: ${names}${more}` : ''}`;
  });
}

/** Show the plan; resolves true when it is confirmed. */
function agreed(plan: DeletionPlan): Promise<boolean> {
  const nothing = plan.total === 0;
  const list = (lines: string[]): HTMLElement =>
    make('ul', { class: 'oh-plain oh-scroll' }, ...lines.map((line) => make('li', {}, line)));
  const dialog = make(
    'dialog',
    { class: 'oh-dialog', 'aria-labelledby': 'oh-delete-title' },
    make('h2', { id: 'oh-delete-title' }, nothing ? 'Nothing to delete' : 'Delete these results from OMERO?'),
    make('p', {}, nothing ? 'This execution has nothing in OMERO.' : 'Exactly this is deleted, for good:'),
    list(linesOf(plan)),
    plan.kept.length > 0 && make('p', {}, 'This stays:'),
    plan.kept.length > 0 && list(plan.kept.map((kept) => `${kept.name}. ${kept.reason}`)),
    !nothing &&
      make('p', { class: 'oh-hint' }, 'Measurements stay on this page. ROIs that people drew on label images go with them.'),
    make(
      'form',
      { method: 'dialog', class: 'oh-actions' },
      make('button', { class: 'oh-button', value: '', autofocus: true }, nothing ? 'Close' : 'Keep them'),
      !nothing &&
        make('button', { class: 'oh-button oh-button-danger', value: 'yes' }, `Delete ${count(plan.total, 'object')}`),
    ),
  );
  (document.querySelector('.oh-page') ?? document.body).append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}
