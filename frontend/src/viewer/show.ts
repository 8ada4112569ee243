// SPDX-License-Identifier: AGPL-3.0-or-later
/** Puts the parts of the viewer together for an image that has been opened. Loaded only where WebGL 2 is there. */

import { make } from '../shared/dom';
import { channelControls } from './channel-controls';
import { elsewhere } from './elsewhere';
import { attachKeyboard, KEYS_HELP } from './keyboard';
import { labelControls } from './label-controls';
import { findLabels, type LabelChoice } from './labels';
import { createLayerBuilder } from './layers';
import type { Viewer, ViewerOptions } from './mount';
import { createObjectPanel } from './object-panel';
import { type ImageModel, openImage } from './ome-zarr';
import { createOverlay } from './overlay';
import { savePicture } from './picture';
import { planeControls } from './plane-controls';
import { describePointer, objectAt } from './readout';
import { createStage } from './stage';
import { createStore, initialChannels, initialState, type PanelKind, possiblePanels, type ViewerState } from './store';
import { createToolbar, type ToolbarActions } from './toolbar';
import { decodeView, encodeView, type ViewLink } from './view-state';

/** Show `image` in `element`; `fail` is called for everything that goes wrong later. */
export function showImage(
  element: HTMLElement,
  image: ImageModel,
  options: ViewerOptions,
  fail: (error: unknown) => void,
): Viewer {
  const neighbours = options.neighbours ?? null;
  // A viewer within another page leaves that page's address alone.
  const link: ViewLink = options.keepsAddress ? decodeView(location.hash, image) : {};
  const store = createStore(linked(initialState(image), link));
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
    onSight: ({ zoom }) => {
      overlay.setZoom(zoom, image.pixelSize);
      address.note();
    },
    onPointer: (pointer) => {
      const at = pointer && stage.toPanel(pointer.x, pointer.y);
      overlay.setCross(at, pointer?.panel ?? null);
      readout.textContent = pointer ? describePointer(pointer, image, store.state) : '';
      const object = pointer && objectAt(pointer, image, store.state);
      const left = pointer ? store.state.panels.indexOf(pointer.panel) * (area.clientWidth / store.state.panels.length) : 0;
      objects.hover(object || null, at && { x: left + at.x, y: at.y });
    },
    onClick: (pointer) => {
      const object = objectAt(pointer, image, store.state);
      // The background lets go; where nothing is known yet, nothing happens.
      if (object !== undefined) objects.choose(object === 0 ? null : object, false);
    },
    onError: fail,
  });
  const objects = createObjectPanel({
    area,
    stage,
    store,
    imageId: options.imageId ?? null,
    api: options.api,
    well: options.well,
    field: options.field,
    onError: fail,
  });
  const address = addressKeeper(options.keepsAddress ?? false, () => encodeView(store.state, stage.sight));
  const actions: ToolbarActions = {
    viewForOthers: () => `#${encodeView({ ...store.state, selected: null }, stage.sight)}`,
    async copyLink() {
      address.write();
      // Browsers give the clipboard only to pages over https, and when they are allowed to.
      if (!navigator.clipboard) throw new Error(options.keepsAddress ? 'See the address line' : 'Only over https');
      const link = new URL(options.page ?? location.href, location.href);
      link.hash = encodeView(store.state, stage.sight);
      await navigator.clipboard.writeText(link.href);
    },
    download() {
      const canvas = stage.picture();
      const ratio = canvas.width / Math.max(1, canvasHost.clientWidth);
      const { panels } = store.state;
      savePicture(
        { canvas, panels, zoom: stage.sight.zoom, pixelSize: image.pixelSize, ratio },
        options.title ?? image.name,
        fail,
      );
    },
  };
  const toolbar = createToolbar(stage, store, neighbours, actions);
  toolbar.append(readout);
  area.append(objects.card);
  element.append(make('div', { class: 'oh-viewer-main' }, toolbar, area, objects.table), side);

  const processedHost = make('span', {});
  const labelHost = make('span', {});
  side.append(channelControls(image, store, fail), planeControls(image, store) ?? '', processedHost, labelHost);
  const help = make('details', { class: 'oh-viewer-hint' }, make('summary', {}, 'Keyboard'), KEYS_HELP);
  if (options.elsewhere && options.api && options.imageId) {
    side.append(elsewhere({ ...options.elsewhere, api: options.api, imageId: options.imageId }));
  }
  side.append(help);
  attachKeyboard(area, image, stage, store, neighbours, actions.viewForOthers);

  // Until the labels are there, a view from the address must not give way to the whole image.
  const firstSight = () => (link.sight ? stage.setSight(link.sight) : stage.fit());
  store.subscribe((state, before) => {
    if (state.panels !== before.panels) {
      overlay.setPanels(state.panels);
      stage.setPanels(state.panels);
      // What is opened at first makes room for itself; later somebody chose other panels.
      if (state.labels !== before.labels || state.processed !== before.processed) firstSight();
      else stage.fit();
    }
    stage.setLayers(builder.build(state));
    address.note();
  });
  overlay.setPanels(store.state.panels);
  stage.setPanels(store.state.panels);
  firstSight();
  stage.setLayers(builder.build(store.state));

  let alive = true;
  const open = (choice: LabelChoice) => {
    choice.open().then((labels) => {
      if (!alive) return;
      const first = store.state.labels === null;
      const selected = first ? (link.selected ?? null) : null;
      const panels = first ? panelsWith({ ...store.state, labels }, link) : store.state.panels;
      store.update({ labels, labelName: choice.name, selected, panels });
      objects.load(choice);
    }, fail);
  };
  const made = image.processed.find(({ execution }) => !options.execution || execution === options.execution);
  if (made) {
    openImage(made.zarr).then((processed) => {
      if (!alive) return;
      const known = link.processedChannels ?? [];
      const processedChannels = initialChannels(processed).map((channel, index) => known[index] ?? channel);
      const panels = panelsWith({ ...store.state, processed }, link);
      store.update({ processed, processedChannels, panels });
      processedHost.replaceWith(channelControls(processed, store, fail, 'processedChannels'));
    }, fail);
  }
  findLabels({ ...options }).then((choices) => {
    if (alive) labelHost.replaceWith(labelControls(choices, store, link.labelName, open));
  }, fail);

  // A panel is often made before it has its size, for example in a part of the page that is unfolding.
  let fitted = canvasHost.clientWidth > 0;
  const watcher = new ResizeObserver(() => {
    if (fitted || canvasHost.clientWidth === 0) return;
    fitted = true;
    firstSight();
  });
  watcher.observe(canvasHost);
  return {
    destroy() {
      alive = false;
      watcher.disconnect();
      objects.destroy();
      address.stop();
      stage.destroy();
      element.replaceChildren();
    },
  };
}

/** The panels of the address as far as there is something in them, otherwise all. */
function panelsWith(state: ViewerState, link: ViewLink): PanelKind[] {
  const possible = possiblePanels(state);
  const chosen = possible.filter((kind) => link.panels?.includes(kind));
  return chosen.length > 0 ? chosen : possible;
}

/** What the address says takes the place of how OMERO would show the image. */
function linked(state: ViewerState, link: ViewLink): ViewerState {
  const { z = state.z, t = state.t, labelsVisible = state.labelsVisible, labelOpacity = state.labelOpacity } = link;
  const channels = state.channels.map((channel, index) => link.channels?.[index] ?? channel);
  return { ...state, z, t, labelsVisible, labelOpacity, channels };
}

const ADDRESS_DELAY = 400; // milliseconds; browsers refuse too many changes of the address

interface AddressKeeper {
  /** The view changed. */
  note(): void;
  write(): void;
  stop(): void;
}

/** Keeps the view in the address of the page, where it is asked to. */
function addressKeeper(keeps: boolean, encode: () => string): AddressKeeper {
  let timer = 0;
  const write = () => {
    window.clearTimeout(timer);
    if (keeps) history.replaceState(history.state, '', `#${encode()}`);
  };
  return {
    note() {
      window.clearTimeout(timer);
      timer = window.setTimeout(write, ADDRESS_DELAY);
    },
    write,
    stop: () => window.clearTimeout(timer),
  };
}
