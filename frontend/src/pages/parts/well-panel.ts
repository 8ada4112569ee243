// SPDX-License-Identifier: AGPL-3.0-or-later
/** One well in detail: its state, its figures or its failure, its images and what was found in them. */

import type { Api } from '../../shared/api';
import type { WellExecution } from '../../shared/contracts';
import { STATE_LOOKS } from '../../shared/platemap/states';
import type { ResultsPageData } from './documents';
import { make } from '../../shared/dom';
import { failureBox } from './failure-box';
import { figuresOf } from './figures';
import { goldenButton } from './golden-record';
import { showWellPictures } from './well-pictures';
import { wellDetail } from './well-states';

const THUMBNAIL_SIZE = 96;
const MOST_THUMBNAILS = 12;

/** Show `well` in `host`. Pictures are loaded anew only when the well or its state changed. */
export function showWell(host: HTMLElement, well: WellExecution, page: ResultsPageData, api: Api): void {
  const key = `${well.well}/${well.state}/${well.attempt}`;
  const line = host.querySelector<HTMLElement>('[data-oh-detail]');
  if (host.dataset.shown === key && line) {
    line.textContent = detailOf(well);
    return;
  }
  host.dataset.shown = key;
  const images = page.images[well.well] ?? [];
  const viewer = (image: number) => `${page.viewer}${image}/?execution=${page.execution.execution_id}&well=${well.well}`;
  const done = well.state === 'done' || well.state === 'saving';
  const pictures = make('div', { class: 'oh-well-pictures' });
  const { headline, others } = figuresOf(done ? well.measurements : {}, page.measurements, page.primary_measurement);
  host.replaceChildren(
    make(
      'div',
      { class: 'oh-well-head' },
      make('span', { class: 'oh-tag' }, STATE_LOOKS[well.state].word),
      make('span', { class: 'oh-sub oh-same-line', 'data-oh-detail': true }, detailOf(well)),
    ),
    well.failure && well.state === 'failed' ? failureBox(well.failure) : '',
    headline ?? '',
    pictures,
    others ?? '',
    done && page.is_owner ? make('div', { class: 'oh-actions' }, goldenButton(well, page, api)) : '',
  );
  if (!done) {
    pictures.append(thumbnails(well, images, page, viewer));
    return;
  }
  const executionId = page.execution.execution_id;
  showWellPictures(pictures, { api, executionId, well: well.well, images, thumbnails: page.thumbnails, viewer }).catch(
    (error: unknown) =>
      pictures.replaceChildren(
        make('p', { class: 'oh-hint', role: 'alert' }, (error as Error).message),
        thumbnails(well, images, page, viewer),
      ),
  );
}

function detailOf(well: WellExecution): string {
  if (well.state === 'failed') return well.attempt > 1 ? `after ${well.attempt} attempts` : '';
  return wellDetail(well);
}

function thumbnails(
  well: WellExecution,
  images: readonly number[],
  page: ResultsPageData,
  viewer: (image: number) => string,
): HTMLElement {
  const list = make('div', { class: 'oh-thumbs' });
  images.slice(0, MOST_THUMBNAILS).forEach((image, index) => {
    const picture = make('img', { src: `${page.thumbnails}${image}/${THUMBNAIL_SIZE}/`, alt: '', loading: 'lazy' });
    const field = `field ${index + 1}`;
    list.append(make('a', { href: viewer(image), title: `Open ${field} of ${well.well} in the viewer` }, picture, field));
  });
  return list;
}
