// SPDX-License-Identifier: AGPL-3.0-or-later
/** Ways to open the image in other software: OMERO.iviewer, Vizarr, napari, scripts. */

import { type Api, ApiError } from '../shared/api';
import type { ZarrAddress } from '../shared/contracts';
import { make } from '../shared/dom';

export interface ElsewhereOptions {
  api: Api;
  imageId: number;
  /** Address of the image in OMERO.iviewer; empty where that is not installed. */
  iviewer: string;
  /** Address of a Vizarr; empty where the administrator configured none. */
  vizarr: string;
}

export function elsewhere(options: ElsewhereOptions): HTMLElement {
  const box = make('fieldset', { class: 'oh-viewer-group' }, make('legend', {}, 'Open elsewhere'));
  if (options.iviewer) box.append(make('a', { href: options.iviewer, target: '_blank', rel: 'noopener' }, 'OMERO.iviewer'));
  const button = make('button', { type: 'button' }, 'Address for napari or scripts');
  const result = make('div', { class: 'oh-viewer-address', role: 'status' });
  button.addEventListener('click', () => {
    button.disabled = true;
    options.api
      .post<ZarrAddress>('zarr-addresses/', { kind: 'image', id: options.imageId })
      .then((address) => result.replaceChildren(...addressLines(address, options.vizarr)))
      .catch((error: unknown) => {
        const text = error instanceof ApiError ? error.message : String(error);
        result.replaceChildren(make('p', { class: 'oh-viewer-hint' }, text));
      })
      .finally(() => {
        button.disabled = false;
      });
  });
  box.append(button, result);
  return box;
}

function addressLines(address: ZarrAddress, vizarr: string): HTMLElement[] {
  const absolute = (version: string) => new URL(address.urls[version] ?? '', location.href).href.replace(/\/$/, '');
  const until = new Date(address.expires_at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const note = `Valid until ${until} or until you sign out. Whoever has it can read this image: pass it on with care.`;
  const lines = [
    copyable('OME-Zarr 0.4', absolute('0.4')),
    copyable('OME-Zarr 0.5', absolute('0.5')),
    copyable('napari', `napari --plugin napari-ome-zarr ${absolute('0.4')}`),
    make('p', { class: 'oh-viewer-hint' }, note),
  ];
  if (vizarr) {
    const link = new URL(vizarr);
    link.searchParams.set('source', absolute('0.4'));
    const title = `Opens ${link.host}, which is told this address`;
    lines.push(make('a', { href: link.href, target: '_blank', rel: 'noopener noreferrer', title }, 'Open in Vizarr'));
  }
  return lines;
}

function copyable(title: string, text: string): HTMLElement {
  const field = make('input', { type: 'text', readonly: true, value: text, 'aria-label': title });
  const copy = make('button', { type: 'button', class: 'oh-viewer-small' }, 'Copy');
  copy.addEventListener('click', () => {
    field.select();
    // The clipboard exists only on https; what is selected can be copied by hand.
    void navigator.clipboard?.writeText(text).then(() => {
      copy.textContent = 'Copied';
    });
  });
  return make('label', { class: 'oh-viewer-copyable' }, make('span', {}, title), field, copy);
}
