// SPDX-License-Identifier: AGPL-3.0-or-later
/** What the viewer shows at the moment, and who wants to know when it changes. */

import type { LabelPyramid } from './labels';
import type { ImageModel } from './ome-zarr';
import type { Plane } from './pixels';

export const PANEL_KINDS = ['original', 'processed', 'labels', 'outlines'] as const;

export type PanelKind = (typeof PANEL_KINDS)[number];

export interface ChannelState {
  visible: boolean;
  colour: string;
  limits: [number, number];
}

export interface ViewerState {
  readonly panels: readonly PanelKind[];
  readonly channels: readonly ChannelState[];
  /** The image as the last step of the pipeline left it, where that was saved. */
  readonly processed: ImageModel | null;
  readonly processedChannels: readonly ChannelState[];
  readonly t: number;
  readonly z: number;
  readonly labels: LabelPyramid | null;
  /** Kind of the objects, such as `nuclei`; empty without labels. */
  readonly labelName: string;
  /** Number of the chosen object. */
  readonly selected: number | null;
  readonly labelsVisible: boolean;
  readonly labelOpacity: number;
}

/** Whose channels: those of the image, or those of the processed image. */
export type ChannelList = 'channels' | 'processedChannels';

export interface Store {
  readonly state: ViewerState;
  update(change: Partial<ViewerState>): void;
  updateChannel(list: ChannelList, index: number, change: Partial<ChannelState>): void;
  /** Call `listener` after each change; returns how to stop that. */
  subscribe(listener: (state: ViewerState, before: ViewerState) => void): () => void;
}

export function initialState(image: ImageModel): ViewerState {
  return {
    panels: ['original'],
    channels: initialChannels(image),
    processed: null,
    processedChannels: [],
    t: image.defaultT,
    z: image.defaultZ,
    labels: null,
    labelName: '',
    selected: null,
    labelsVisible: true,
    labelOpacity: 0.5,
  };
}

/** The channels as OMERO would show them. */
export function initialChannels(image: ImageModel): ChannelState[] {
  return image.channels.map(({ active, colour, window }) => ({
    visible: active,
    colour,
    limits: [window.start, window.end],
  }));
}

/** The panels that there is something to show in. */
export function possiblePanels(state: Pick<ViewerState, 'labels' | 'processed'>): PanelKind[] {
  return PANEL_KINDS.filter((kind) => {
    if (kind === 'original') return true;
    return kind === 'processed' ? state.processed !== null : state.labels !== null;
  });
}

export function planeOf(state: ViewerState, channel = 0): Plane {
  return { t: state.t, c: channel, z: state.z };
}

export function createStore(initial: ViewerState): Store {
  let state = initial;
  const listeners = new Set<(state: ViewerState, before: ViewerState) => void>();

  function update(change: Partial<ViewerState>): void {
    const before = state;
    state = { ...state, ...change };
    for (const listener of listeners) listener(state, before);
  }

  return {
    get state() {
      return state;
    },
    update,
    updateChannel(list, index, change) {
      update({ [list]: state[list].map((channel, place) => (place === index ? { ...channel, ...change } : channel)) });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
