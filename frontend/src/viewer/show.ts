// SPDX-License-Identifier: AGPL-3.0-or-later
/** Puts the parts of the viewer together for an image that has been opened. Loaded only where WebGL 2 is there. */

import { make } from '../shared/dom';
import { channelControls } from './channel-controls';
import { attachKeyboard, KEYS_HELP } from './keyboard';
import { labelControls } from './label-controls';
import { findLabels, type LabelChoice } from './labels';
import { createLayerBuilder } from './layers';
import type { Viewer, ViewerOptions } from './mount';
import type { ImageModel } from './ome-zarr';
import { createOverlay } from './overlay';
import { planeControls } from './plane-controls';
import { describePointer } from './readout';
import { createStage } from './stage';
import { createStore, initialState } from './store';
import { createToolbar } from './toolbar';

/** Show `image` in `element`; `fail` is called for everything that goes wrong later. */
export function showImage(
  element: HTMLElement,
  image: ImageModel,
  options: ViewerOptions,
  fail: (error: unknown) => void,
): Viewer {
  const neighbours = options.neighbours ?? null;
  const store = createStore(initialState(image));
  const canvasHost = make('div', { class: 'oh-viewer-canvas' });
  const overlayHost = make('div', { class: 'oh-viewer-overlay' });
  const area = make(
    'div',
    {
      class: 'oh-viewer-area',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'image viewer',
      'aria-label': image.name,
      'aria-description': KEYS_HELP,
    },
    canvasHost,
    overlayHost,
  );
  const readout = make('output', { class: 'oh-viewer-readout', 'aria-live': 'off' });
  const side = make('aside', { class: 'oh-viewer-side', 'aria-label': 'Settings of the view' });

  const builder = createLayerBuilder(image, fail);
  const overlay = createOverlay(overlayHost);
  const stage = createStage({
    canvasHost,
    width: image.width,
    height: image.height,
    onSight: ({ zoom }) => overlay.setZoom(zoom, image.pixelSize),
    onPointer: (pointer) => {
      overlay.setCross(pointer && stage.toPanel(pointer.x, pointer.y), pointer?.panel ?? null);
      readout.textContent = pointer ? describePointer(pointer, image, store.state) : '';
    },
    onError: fail,
  });
  const toolbar = createToolbar(stage, store, neighbours);
  toolbar.append(readout);
  element.append(make('div', { class: 'oh-viewer-main' }, toolbar, area), side);

  side.append(channelControls(image, store, fail), planeControls(image, store) ?? '');
  const help = make('details', { class: 'oh-viewer-hint' }, make('summary', {}, 'Keyboard'), KEYS_HELP);
  side.append(help);
  attachKeyboard(area, image, stage, store, neighbours);

  store.subscribe((state, before) => {
    if (state.panels !== before.panels) {
      overlay.setPanels(state.panels);
      stage.setPanels(state.panels);
      stage.fit();
    }
    stage.setLayers(builder.build(state));
  });
  overlay.setPanels(store.state.panels);
  stage.setPanels(store.state.panels);
  stage.fit();
  stage.setLayers(builder.build(store.state));

  let alive = true;
  const open = (choice: LabelChoice) => {
    choice.open().then((labels) => {
      if (!alive) return;
      const first = store.state.labels === null;
      store.update(first ? { labels, panels: ['original', 'labels', 'outlines'] } : { labels });
    }, fail);
  };
  findLabels({ ...options }).then((choices) => {
    if (alive) help.before(labelControls(choices, store, open));
  }, fail);

  // A panel is often made before it has its size, for example in a part of the page that is unfolding.
  let fitted = canvasHost.clientWidth > 0;
  const watcher = new ResizeObserver(() => {
    if (fitted || canvasHost.clientWidth === 0) return;
    fitted = true;
    stage.fit();
  });
  watcher.observe(canvasHost);
  return {
    destroy() {
      alive = false;
      watcher.disconnect();
      stage.destroy();
      element.replaceChildren();
    },
  };
}
