// SPDX-License-Identifier: AGPL-3.0-or-later
/** What every page does: local times, forms that submit themselves, and lines of running executions that stay up to date. */

import { type Api, createApi } from '../shared/api';
import { type ExecutionStatus, isFinal } from '../shared/contracts';
import { count, formatMoment } from './parts/format';
import { signInAgain } from './parts/sign-in';
import { statusPill, updateProgress } from './parts/status-pill';

const LINE_INTERVAL = 3000;

function showLocalTimes(): void {
  for (const element of document.querySelectorAll<HTMLTimeElement>('time[data-oh-time]')) {
    element.title = element.textContent ?? '';
    element.textContent = formatMoment(element.dateTime);
  }
}

function submitOnChange(): void {
  document.addEventListener('change', (event) => {
    const control = event.target;
    if (control instanceof HTMLElement && control.dataset.ohSubmit !== undefined) control.closest('form')?.requestSubmit();
  });
}

/** Follow the executions listed on this page until they are final. */
function followLines(api: Api): void {
  const lines = new Map<string, HTMLElement>();
  for (const line of document.querySelectorAll<HTMLElement>('[data-oh-live]')) lines.set(line.dataset.ohLive ?? '', line);
  const asked = new Set<string>();

  async function update(id: string, line: HTMLElement): Promise<void> {
    let status = await api.get<ExecutionStatus>(`executions/${id}/status/`);
    if (status.status === 'waiting_for_sign_in' && !asked.has(id)) {
      asked.add(id);
      // Somebody else's execution is refused, and stays shown as waiting.
      status = await signInAgain(api, id).catch(() => status);
    }
    line.querySelector('[data-oh-status]')?.replaceWith(statusPill(status.status));
    updateProgress(line.querySelector('.oh-progress'), status, !isFinal(status.status));
    const text = line.querySelector('[data-oh-count]');
    if (text) {
      const failed = status.wells_failed ? `, ${status.wells_failed} failed` : '';
      text.textContent = `${status.wells_completed} of ${count(status.wells_total, 'well')}${failed}`;
    }
    showStanding(line.querySelector<HTMLElement>('[data-oh-standing]'), status);
    if (isFinal(status.status)) lines.delete(id);
  }

  async function round(): Promise<void> {
    if (!document.hidden) {
      // An error leaves the line as it is; the next round asks again.
      for (const [id, line] of [...lines]) await update(id, line).catch(() => undefined);
    }
    if (lines.size > 0) setTimeout(() => void round(), LINE_INTERVAL);
  }
  if (lines.size > 0) void round();
}

/** Its place in the queue, or that it is paused; the reason comes with the pointer. */
function showStanding(tag: HTMLElement | null, status: ExecutionStatus): void {
  if (!tag) return;
  tag.textContent = status.paused ? 'paused' : status.queue_position ? `place ${status.queue_position}` : '';
  tag.title = status.waiting_reason;
  tag.hidden = tag.textContent === '';
}

showLocalTimes();
submitOnChange();
const page = document.querySelector<HTMLElement>('.oh-page[data-oh-api]');
if (page?.dataset.ohApi) followLines(createApi(page.dataset.ohApi));
