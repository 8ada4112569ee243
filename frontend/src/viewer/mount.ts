// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The image viewer: original, objects and outlines side by side at the same place.
 *
 *     const viewer = await mountViewer(element, { zarr: '/openhcs/zarr/0.4/image/7.zarr/' });
 *     viewer.destroy();
 *
 * It fills `element`, which needs a height. Whatever goes wrong is said inside it, with a way to try again.
 */

import { make } from '../pages/parts/dom';
import { type Api, ApiError } from '../shared/api';
import { channelControls } from './channel-controls';
import { attachKeyboard, KEYS_HELP } from './keyboard';
import { labelControls } from './label-controls';
import { findLabels, type LabelChoice } from './labels';
import { createLayerBuilder } from './layers';
import { type ImageModel, openImage } from './ome-zarr';
import { createOverlay } from './overlay';
import { planeControls } from './plane-controls';
import { describePointer } from './readout';
import { createStage } from './stage';
import { createStore, initialState } from './store';
import { createToolbar, type Neighbours } from './toolbar';
import { missingGraphics } from './webgl';
import './viewer.css';

export type { Neighbours, Step } from './toolbar';

export interface ViewerOptions {
  /** Address of the image's OME-Zarr 0.4, ending in `.zarr/`. */
  zarr: string;
  /** Show the label images of this execution only. With `api`, `well` and `field` also those that are not in OMERO. */
  execution?: string;
  api?: Api;
  well?: string;
  /** Counts from 1. */
  field?: number;
  neighbours?: Neighbours | null;
}

export interface Viewer {
  destroy(): void;
}

/** Show an image in `element`. Resolves when the image is known and drawing has begun, or when the error is shown. */
export async function mountViewer(element: HTMLElement, options: ViewerOptions): Promise<Viewer> {
  element.classList.add('oh-viewer');
  const banner = make('div', { class: 'oh-viewer-banner', role: 'alert', hidden: true });
  const waiting = make('p', { class: 'oh-viewer-waiting', role: 'status' }, 'Opening the image…');
  element.replaceChildren(banner, waiting);

  const missing = missingGraphics();
  if (missing) {
    waiting.remove();
    showBanner(banner, missing, null);
    return { destroy: () => element.replaceChildren() };
  }
  let current: Viewer = { destroy: () => undefined };
  const retry = () => {
    current.destroy();
    void mountViewer(element, options).then((viewer) => {
      current = viewer;
    });
  };
  const fail = (error: unknown) => showBanner(banner, sentence(error), retry);
  try {
    const image = await openImage(options.zarr);
    waiting.remove();
    current = show(element, image, options, fail);
  } catch (error) {
    waiting.remove();
    fail(error);
  }
  return { destroy: () => current.destroy() };
}

function show(element: HTMLElement, image: ImageModel, options: ViewerOptions, fail: (error: unknown) => void): Viewer {
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

function sentence(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  const cause = error instanceof Error && error.cause instanceof ApiError ? error.cause : null;
  if (cause) return cause.message;
  return `The image cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
}

function showBanner(banner: HTMLElement, text: string, retry: (() => void) | null): void {
  banner.replaceChildren(make('span', {}, text));
  if (retry) {
    const button = make('button', { type: 'button' }, 'Try again');
    button.addEventListener('click', retry);
    banner.append(button);
  }
  banner.hidden = false;
}
