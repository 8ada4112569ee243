// SPDX-License-Identifier: AGPL-3.0-or-later
/** Sliders through the sections and time points, for images that have several. */

import { make } from '../shared/dom';
import type { ImageModel } from './ome-zarr';
import type { Store } from './store';

/** Null for an image of a single plane. */
export function planeControls(image: ImageModel, store: Store): HTMLElement | null {
  const box = make('fieldset', { class: 'oh-viewer-group' }, make('legend', {}, 'Plane'));
  if (image.sizeZ > 1) box.append(slider('Section z', 'z', image.sizeZ, store));
  if (image.sizeT > 1) box.append(slider('Time t', 't', image.sizeT, store));
  return box.childElementCount > 1 ? box : null;
}

function slider(title: string, axis: 'z' | 't', count: number, store: Store): HTMLElement {
  const input = make('input', { type: 'range', min: 1, max: count, step: 1 });
  const output = make('output', { class: 'oh-viewer-values' });
  input.addEventListener('input', () => store.update({ [axis]: Number(input.value) - 1 }));
  const show = () => {
    input.value = String(store.state[axis] + 1);
    output.textContent = `${store.state[axis] + 1} of ${count}`;
  };
  show();
  store.subscribe((state, before) => {
    if (state[axis] !== before[axis]) show();
  });
  return make('label', { class: 'oh-viewer-slider' }, title, input, output);
}
