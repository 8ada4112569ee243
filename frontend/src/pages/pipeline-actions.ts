// SPDX-License-Identifier: AGPL-3.0-or-later
/** What can be done with the pipeline of this page: copying leads to the copy, deleting to the list. */

import { createApi } from '../shared/api';
import { attachPipelineActions, type Done } from './parts/pipeline-actions';

const page = document.querySelector<HTMLElement>('.oh-page[data-oh-api]');
const bar = document.querySelector<HTMLElement>('[data-oh-actions-bar]');
if (page?.dataset.ohApi && bar?.dataset.ohList) {
  const list = new URL(bar.dataset.ohList, document.baseURI);
  attachPipelineActions(bar, createApi(page.dataset.ohApi), (what) => leave(list, what));
  // The template keeps the buttons from being pressed before somebody listens.
  for (const part of bar.querySelectorAll<HTMLElement>('[data-oh-until-ready]')) part.inert = false;
}

function leave(list: URL, { action, to }: Done): void {
  if (to) location.assign(new URL(`${encodeURIComponent(to)}/`, list).href);
  else if (action === 'delete') location.assign(list.href);
  else location.reload();
}
