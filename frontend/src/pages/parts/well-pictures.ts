// SPDX-License-Identifier: AGPL-3.0-or-later
/** A field of a well twice: as it is, and with the outlines of what the pipeline found. */

import type { Api } from '../../shared/api';
import type { LabelInfo } from '../../shared/contracts';
import { make } from '../../shared/dom';
import { fetchLabels } from '../../shared/label-pixels';
import { count } from './format';
import { drawOutlines } from './label-overlay';

export interface WellPictureOptions {
  api: Api;
  executionId: string;
  well: string;
  /** Image ids by field. */
  images: readonly number[];
  /** Base address of OMERO.web's thumbnails, with a slash at the end. */
  thumbnails: string;
  /** Address of the viewer for an image. */
  viewer: (image: number) => string;
}

const PICTURE_SIZE = 512;

/** Show the first field with labels; with several fields or label images there is a list to choose from. */
export async function showWellPictures(host: HTMLElement, options: WellPictureOptions): Promise<void> {
  const { api, executionId, well } = options;
  const labels = await api.get<LabelInfo[]>(`executions/${executionId}/wells/${well}/labels/`);
  if (labels.length === 0) {
    host.replaceChildren(make('p', { class: 'oh-hint' }, 'This pipeline draws no objects.'));
    return;
  }
  const chooser = make('select', { class: 'oh-input', 'aria-label': 'Field and objects' });
  chooser.append(
    ...labels.map((label, index) =>
      make('option', { value: index }, `field ${label.field}: ${count(label.objects, 'object')} (${label.name})`),
    ),
  );
  const pictures = make('div', { class: 'oh-pictures' });
  host.replaceChildren(labels.length > 1 ? chooser : '', pictures);
  const show = () => {
    const label = labels[Number(chooser.value)];
    if (label) void showPair(pictures, label, options);
  };
  chooser.addEventListener('change', show);
  show();
}

async function showPair(host: HTMLElement, label: LabelInfo, options: WellPictureOptions): Promise<void> {
  const image = options.images[label.field - 1];
  if (image === undefined) return;
  const source = `${options.thumbnails}${image}/${PICTURE_SIZE}/`;
  const canvas = make('canvas', { 'aria-hidden': 'true' });
  const picture = (alt: string) => make('img', { src: source, alt });
  const found = `${count(label.objects, 'object')} outlined (${label.name})`;
  host.replaceChildren(
    make(
      'figure',
      {},
      make('div', { class: 'oh-picture' }, picture(`Field ${label.field} of well ${options.well}`)),
      make('figcaption', {}, `Original, field ${label.field}`),
    ),
    make(
      'figure',
      {},
      make('div', { class: 'oh-picture' }, picture(`The same field, ${found}`), canvas),
      make('figcaption', {}, `${found} · `, make('a', { href: options.viewer(image) }, 'open in the viewer')),
    ),
  );
  try {
    const path = `executions/${options.executionId}/wells/${options.well}/labels/${label.field}/${encodeURIComponent(label.name)}/`;
    drawOutlines(canvas, await fetchLabels(options.api.url(path)));
  } catch (error) {
    host.append(make('p', { class: 'oh-hint', role: 'alert' }, error instanceof Error ? error.message : String(error)));
  }
}
