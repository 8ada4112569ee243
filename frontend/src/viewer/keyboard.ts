// SPDX-License-Identifier: AGPL-3.0-or-later
/** Keys of the drawing area, and the words that explain them. */

import type { ImageModel } from './ome-zarr';
import type { Stage } from './stage';
import type { Store } from './store';
import type { Neighbours } from './toolbar';

export const KEYS_HELP =
  'Arrows move, plus and minus magnify, 0 shows the whole image, L switches the objects on and off, Escape lets go of the chosen object, ' +
  'PageUp and PageDown go through the sections, comma and full stop through time, [ and ] go to the previous and next well.';

/** A tenth of a panel per arrow key. */
const PAN = 0.1;

export function attachKeyboard(
  host: HTMLElement,
  image: ImageModel,
  stage: Stage,
  store: Store,
  neighbours: Neighbours | null,
  viewForOthers: () => string,
): void {
  const slice = (axis: 'z' | 't', count: number, step: number) => {
    const next = Math.max(0, Math.min(count - 1, store.state[axis] + step));
    if (next !== store.state[axis]) store.update({ [axis]: next });
  };
  const go = (step: { url: string } | null | undefined) => {
    if (step) location.assign(step.url + viewForOthers());
  };
  const actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => stage.pan(-PAN, 0),
    ArrowRight: () => stage.pan(PAN, 0),
    ArrowUp: () => stage.pan(0, -PAN),
    ArrowDown: () => stage.pan(0, PAN),
    '+': () => stage.zoomBy(0.5),
    '=': () => stage.zoomBy(0.5),
    '-': () => stage.zoomBy(-0.5),
    '0': () => stage.fit(),
    l: () => store.update({ labelsVisible: !store.state.labelsVisible }),
    PageUp: () => slice('z', image.sizeZ, 1),
    PageDown: () => slice('z', image.sizeZ, -1),
    '.': () => slice('t', image.sizeT, 1),
    ',': () => slice('t', image.sizeT, -1),
    Escape: () => store.update({ selected: null }),
    '[': () => go(neighbours?.previousWell),
    ']': () => go(neighbours?.nextWell),
  };
  host.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    action();
    event.preventDefault();
  });
}
