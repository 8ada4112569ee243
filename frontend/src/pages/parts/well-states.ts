// SPDX-License-Identifier: AGPL-3.0-or-later
/** What events say about wells, folded into their states. */

import type { Event, WellExecution, WellState } from '../../shared/contracts';

const STATE_OF_KIND: Readonly<Record<string, WellState>> = {
  well_staging: 'staging',
  well_step: 'running',
  well_saving: 'saving',
  well_done: 'done',
  well_failed: 'failed',
  well_retried: 'waiting',
  well_skipped: 'skipped',
};

/** The well after `event`: the fields that the event carries, and the state that its kind stands for. */
export function foldWell<T extends Partial<WellExecution>>(well: T, event: Event): T {
  const state = STATE_OF_KIND[event.kind];
  const begun = event.kind === 'well_retried' ? { failure: null, step: 0, step_name: '', measurements: {} } : {};
  return { ...well, ...begun, ...(state ? { state } : {}), ...(event.data as Partial<WellExecution>) };
}

/** What the plate map says about a well besides its state. */
export function wellDetail(well: WellExecution): string {
  if (well.state === 'failed') return well.failure?.message ?? '';
  if ((well.state === 'running' || well.state === 'staging') && well.step > 0) {
    return `step ${well.step} of ${well.step_count}: ${well.step_name}`;
  }
  return '';
}

export interface WellCounts {
  wells_total: number;
  wells_completed: number;
  wells_failed: number;
  wells_skipped: number;
}

export function countWells(wells: Iterable<WellExecution>): WellCounts {
  const counts = { wells_total: 0, wells_completed: 0, wells_failed: 0, wells_skipped: 0 };
  for (const well of wells) {
    counts.wells_total += 1;
    if (well.state === 'done') counts.wells_completed += 1;
    else if (well.state === 'failed') counts.wells_failed += 1;
    else if (well.state === 'skipped') counts.wells_skipped += 1;
  }
  return counts;
}
