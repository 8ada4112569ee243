// SPDX-License-Identifier: AGPL-3.0-or-later
/** The page of administrators: the queue stays up to date; runs are paused and cancelled, limits changed, the queue stopped. */

import { type Api, ApiError, createApi } from '../shared/api';
import { byId, showNotice } from '../shared/dom';
import { formatMoment } from './parts/format';
import { asked, confirmed } from './parts/confirm';
import { keepFresh } from './parts/fresh-parts';
import { limitsOf } from './parts/limits-form';

const PARTS = ['oh-admin-queue', 'oh-admin-people'];
const EVERY_MS = 3000;
const BUTTONS = '[data-oh-act], [data-oh-drain], [data-oh-move], [data-oh-move-back]';

const page = document.querySelector<HTMLElement>('.oh-page[data-oh-api]');
if (page?.dataset.ohApi) attach(page, createApi(page.dataset.ohApi));

function attach(page: HTMLElement, api: Api): void {
  const problem = byId('oh-admin-problem');
  // A refusal stays until the next change, however often the parts are refreshed meanwhile.
  let refusal = '';
  let silence = '';
  const tell = (): void => showNotice(problem, refusal || silence);
  const parts = keepFresh(PARTS, EVERY_MS, (text) => {
    silence = text;
    tell();
  });
  new MutationObserver(() => showTimes(page)).observe(byId('oh-main'), { childList: true });

  async function change(path: string, body: unknown, done: string): Promise<boolean> {
    try {
      await api.post(path, body);
      refusal = '';
    } catch (error) {
      refusal = sentences(error);
      return false;
    } finally {
      tell();
    }
    byId('oh-admin-done').textContent = done;
    await parts.refresh().catch(() => undefined); // the next round says that nobody answers
    return true;
  }

  page.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>(BUTTONS) : null;
    if (!button) return;
    if ('ohDrain' in button.dataset) void drain(change);
    else if ('ohMove' in button.dataset) void move(change);
    else if ('ohMoveBack' in button.dataset) void moveBack(change);
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
  const note = await asked({
    id: 'oh-drain',
    question: 'Stop the queue?',
    detail: 'Wells in work are finished, nothing else begins, and no runs are taken until somebody lets it go on.',
    label: 'Note for those who wait',
    yes: 'Stop the queue',
    field: { maxlength: 300 },
  });
  if (note !== null) await change('admin/drain/', { note }, 'The queue is stopped.');
}

/** Ask for the address of a Dask scheduler, and let it compute. */
async function move(change: Change): Promise<void> {
  const address = await asked({
    id: 'oh-move',
    question: 'Compute with another Dask scheduler?',
    detail:
      'Wells in work are finished where they are, the others go there. The certificates in the settings of the service must fit.',
    label: 'Address',
    yes: 'Move',
    field: { maxlength: 255, required: true, placeholder: 'tls://scheduler.example.org:8786' },
  });
  if (address !== null) await change('admin/engine/', { address }, 'Wells are computed there now.');
}

async function moveBack(change: Change): Promise<void> {
  const detail = 'Wells in work are finished where they are, the others are computed by the engine of the settings.';
  if (await confirmed('Move back?', detail, 'Move back')) {
    await change('admin/engine/', { address: null }, 'Wells are computed by the engine of the settings.');
  }
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
