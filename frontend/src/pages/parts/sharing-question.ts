// SPDX-License-Identifier: AGPL-3.0-or-later
/** What has to be known, and agreed to, before a pipeline is shared: do the golden wells of its newest version agree? */

import type { Api } from '../../shared/api';
import type { CheckState, SharingCheck } from '../../shared/contracts';
import { make } from '../../shared/dom';
import { type CheckLinks, checkPill, checkTable } from './golden-check';

/** Where the links of the question lead; `pipelines` too takes an id. */
export interface QuestionLinks extends CheckLinks {
  pipelines: string;
}

const SENTENCES: Readonly<Record<CheckState, string>> = {
  no_golden_wells: '',
  not_checked: 'Its golden wells have not been run with its newest version.',
  running: 'Its golden wells are still being run with its newest version.',
  not_run: 'Some of its golden wells could not be run with its newest version.',
  differs: 'Some of its golden wells measure something else with its newest version than what is expected of them.',
  agrees: 'Every golden well measures what is expected of it.',
};

/** Put into `place`, which a dialog's template wrote, what is known about the pipeline. */
export async function showSharingQuestion(place: HTMLElement, api: Api, pipelineId: string): Promise<void> {
  const { ohResults = '', ohOmero = '', ohPipelines = '' } = place.dataset;
  place.dataset.ohAbout = pipelineId;
  place.replaceChildren();
  let question: HTMLElement;
  try {
    const check = await api.get<SharingCheck>(`pipelines/${encodeURIComponent(pipelineId)}/check/sharing/`);
    question = sharingQuestion(check, { results: ohResults, omero: ohOmero, pipelines: ohPipelines });
  } catch (error) {
    question = make('p', { class: 'oh-hint', role: 'alert' }, error instanceof Error ? error.message : String(error));
  }
  // Meanwhile the dialog may have been opened for another pipeline.
  if (place.dataset.ohAbout === pipelineId) place.replaceChildren(question);
}

/** The state in words, the differences side by side, and what has to be ticked where the golden wells are not known to agree. */
export function sharingQuestion(check: SharingCheck, links: QuestionLinks): HTMLElement {
  const content = make('div', { class: 'oh-sharing-check' });
  if (check.state === 'no_golden_wells') return content;
  content.append(make('p', {}, checkPill(check.state), ' ', SENTENCES[check.state]));
  if (check.state === 'agrees') return content;
  if (check.state === 'differs') content.append(...check.checks.map((entry) => checkTable(entry, links)));
  const page = `${links.pipelines}${encodeURIComponent(check.pipeline_id)}/#oh-golden`;
  const box = make('input', { type: 'checkbox', name: 'although_unchecked', value: 'yes' });
  content.append(
    make('p', {}, make('a', { href: page }, 'Look at them on its page')),
    make('label', { class: 'oh-inline' }, box, 'Share it all the same'),
  );
  return content;
}
