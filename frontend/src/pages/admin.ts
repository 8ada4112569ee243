// SPDX-License-Identifier: AGPL-3.0-or-later
/** The page of administrators: the queue stays up to date; runs are paused and cancelled, limits changed, the queue stopped. */

import { type Api, ApiError, createApi } from '../shared/api';
import { byId, make, showNotice } from '../shared/dom';
import { formatMoment } from './parts/format';
import { confirmed } from './parts/confirm';
import { keepFresh } from './parts/fresh-parts';
import { limitsOf } from './parts/limits-form';

const PARTS = ['oh-admin-queue', 'oh-admin-people'];
const EVERY_MS = 3000;

const page = document.querySelector<HTMLElement>('.oh-page[data-oh-api]');
if (page?.dataset.ohApi) attach(page, createApi(page.dataset.ohApi));

function attach(page: HTMLElement, api: Api): void {
  const problem = byId('oh-admin-problem');
  const parts = keepFresh(PARTS, EVERY_MS, (text) => showNotice(problem, text));
  new MutationObserver(() => showTimes(page)).observe(byId('oh-main'), { childList: true });

  async function change(path: string, body: unknown, done: string): Promise<boolean> {
    try {
      await api.post(path, body);
      showNotice(problem, '');
    } catch (error) {
      showNotice(problem, sentences(error));
      return false;
    }
    byId('oh-admin-done').textContent = done;
    await parts.refresh().catch(() => undefined); // the next round says that nobody answers
    return true;
  }

  page.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-oh-act], [data-oh-drain]') : null;
    if (!button) return;
    if (button.dataset.ohAct === undefined) void drain(change);
    else void act(button.dataset, change);
  });
  page.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.ohLimits) return;
    event.preventDefault();
    void change(form.dataset.ohLimits, limitsOf(form), form.dataset.ohDone ?? '').then((changed) => {
      // What was typed is what holds now, so that the part is refreshed again.
      if (changed) for (const field of form.querySelectorAll('input')) field.defaultValue = field.value;
    });
  });
}

type Change = (path: string, body: unknown, done: string) => Promise<boolean>;

async function act({ ohAct, ohAsk, ohDetail, ohYes }: DOMStringMap, change: Change): Promise<void> {
  if (ohAsk && !(await confirmed(ohAsk, ohDetail ?? '', ohYes ?? 'Yes'))) return;
  await change(ohAct ?? '', undefined, 'Done.');
}

/** Ask for a note, and stop the queue. */
async function drain(change: Change): Promise<void> {
  const note = make('input', { class: 'oh-input', id: 'oh-drain-note', maxlength: 300, autocomplete: 'off' });
  const dialog = make(
    'dialog',
    { class: 'oh-dialog', 'aria-labelledby': 'oh-drain-title' },
    make('h2', { id: 'oh-drain-title' }, 'Stop the queue?'),
    make('p', {}, 'Wells in work are finished, nothing else begins, and no runs are taken until somebody lets it go on.'),
    make(
      'form',
      { method: 'dialog' },
      make('label', { for: 'oh-drain-note' }, 'Note for those who wait ', note),
      make(
        'p',
        { class: 'oh-actions' },
        make('button', { class: 'oh-button', value: '', type: 'button', 'data-oh-close': true }, 'Not now'),
        make('button', { class: 'oh-button oh-button-danger', value: 'yes' }, 'Stop the queue'),
      ),
    ),
  );
  byId('oh-main').append(dialog);
  dialog.querySelector('[data-oh-close]')?.addEventListener('click', () => dialog.close(''));
  dialog.showModal();
  note.focus();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  dialog.remove();
  if (dialog.returnValue === 'yes') await change('admin/drain/', { note: note.value.trim() }, 'The queue is stopped.');
}

/** Times that came with a fresh part, in the reader's time zone. */
function showTimes(page: HTMLElement): void {
  for (const element of page.querySelectorAll<HTMLTimeElement>('time[data-oh-time]:not([title])')) {
    element.title = element.textContent ?? '';
    element.textContent = formatMoment(element.dateTime);
  }
}

function sentences(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  return [error.message, ...Object.values(error.fieldErrors)].join(' ');
}
