// SPDX-License-Identifier: AGPL-3.0-or-later
/** What events say about wells, folded into their states. */

import type { Event, WellExecution, WellState } from '../../shared/contracts';
import { formatSeconds } from './format';

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
  const step = well.state === 'running' && well.step > 0 ? `step ${well.step} of ${well.step_count}: ${well.step_name}` : '';
  const attempt = well.attempt > 1 && well.state !== 'skipped' ? `attempt ${well.attempt}` : '';
  const inWork = well.state === 'staging' || well.state === 'running';
  const worker = inWork && well.worker ? `on ${well.worker}` : '';
  // A time of day and not a duration: the words stay true until the next event.
  const since = inWork && well.started_at ? `since ${timeOfDay(well.started_at)}` : '';
  const took = (well.state === 'done' || well.state === 'saving') && well.seconds ? `in ${formatSeconds(well.seconds)}` : '';
  return [step, took, attempt, worker, since].filter(Boolean).join(', ');
}

function timeOfDay(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB');
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
