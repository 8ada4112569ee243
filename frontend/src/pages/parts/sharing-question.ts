// SPDX-License-Identifier: AGPL-3.0-or-later
/** What has to be known, and agreed to, before a version of a pipeline is shared: do its golden wells still agree? */

import type { Api } from '../../shared/api';
import type { CheckState, SharingCheck } from '../../shared/contracts';
import { make } from '../../shared/dom';
import { type CheckLinks, checkPill, checkTable } from './golden-check';

const SENTENCES: Readonly<Record<CheckState, string>> = {
  no_golden_wells: 'This pipeline has no golden wells, so nothing tells whether it still measures what it did.',
  not_checked: 'The golden wells have not been run with this version.',
  running: 'The golden wells are still being run with this version.',
  not_run: 'Some golden wells could not be run with this version.',
  differs: 'Some golden wells measure something else with this version than what is expected of them.',
  agrees: 'Every golden well measures what is expected of it.',
};

export interface SharingQuestion {
  state: CheckState;
  /** The state in words with the differences, to be put into the dialog. */
  content: HTMLElement;
  /** To be ticked before sharing; null where nothing speaks against it. */
  confirmation: HTMLInputElement | null;
}

/** Ask what is known about `version` and draw it. */
export async function sharingQuestion(
  api: Api,
  pipelineId: string,
  version: number,
  links: CheckLinks,
): Promise<SharingQuestion> {
  const check = await api.get<SharingCheck>(`pipelines/${pipelineId}/check/sharing/`, { params: { version } });
  return drawQuestion(check, links);
}

export function drawQuestion(check: SharingCheck, links: CheckLinks): SharingQuestion {
  const settled = check.state === 'agrees' || check.state === 'no_golden_wells';
  const confirmation = settled ? null : make('input', { type: 'checkbox', id: 'oh-share-unchecked' });
  const content = make(
    'div',
    { class: 'oh-sharing-check' },
    make('p', {}, checkPill(check.state), ' ', SENTENCES[check.state]),
    ...(check.state === 'differs' ? check.checks.map((entry) => checkTable(entry, links)) : []),
    confirmation
      ? make('label', { class: 'oh-inline', for: confirmation.id }, confirmation, `Share version ${check.version} all the same`)
      : null,
  );
  return { state: check.state, content, confirmation };
}
