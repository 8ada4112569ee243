// SPDX-License-Identifier: AGPL-3.0-or-later
/** Why a well failed: the cause, what happened, what to do; the traceback is one click away. */

import type { FailureClass, WellFailure } from '../../shared/contracts';
import { make } from '../../shared/dom';

export const CAUSES: Readonly<Record<FailureClass, string>> = {
  bad_input: 'The images or values do not fit the pipeline',
  out_of_memory: 'Out of memory',
  time_limit: 'Time limit reached',
  disk_full: 'Disk full',
  omero_lost: 'OMERO did not answer, or refused',
  engine_error: 'Error in OpenHCS',
  worker_lost: 'The worker was lost',
};

export function failureBox(failure: WellFailure): HTMLElement {
  return make(
    'div',
    { class: 'oh-failure' },
    make('p', {}, make('strong', {}, CAUSES[failure.cause] ?? failure.cause)),
    make('p', {}, failure.message),
    failure.remedy ? make('p', {}, failure.remedy) : null,
    failure.traceback
      ? make('details', {}, make('summary', {}, 'Technical details'), make('pre', { tabindex: 0 }, failure.traceback))
      : null,
  );
}
