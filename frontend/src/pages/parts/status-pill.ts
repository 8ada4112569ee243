// SPDX-License-Identifier: AGPL-3.0-or-later
/** The status of an execution, as the templates draw it. */

import type { ExecutionStatusName } from '../../shared/contracts';
import { make } from '../../shared/dom';
import { STATUS_WORDS } from './format';

export function statusPill(status: ExecutionStatusName): HTMLElement {
  return make('span', { class: `oh-status oh-status-${status}`, 'data-oh-status': true }, STATUS_WORDS[status]);
}

/** Bring a progress bar made by `includes/progress.html` up to date. */
export function updateProgress(
  bar: Element | null,
  counts: { wells_total: number; wells_completed: number; wells_failed: number },
  live: boolean,
): void {
  if (!(bar instanceof HTMLElement)) return;
  const share = (wells: number) => `${counts.wells_total > 0 ? (100 * wells) / counts.wells_total : 0}%`;
  bar.classList.toggle('oh-progress-live', live);
  bar.setAttribute('aria-valuenow', String(counts.wells_completed + counts.wells_failed));
  bar.querySelector<HTMLElement>('.oh-progress-done')?.style.setProperty('width', share(counts.wells_completed));
  bar.querySelector<HTMLElement>('.oh-progress-failed')?.style.setProperty('width', share(counts.wells_failed));
}
