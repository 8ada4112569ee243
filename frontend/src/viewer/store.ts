// SPDX-License-Identifier: AGPL-3.0-or-later
/** What the viewer shows at the moment, and who wants to know when it changes. */

import type { LabelPyramid } from './labels';
import type { ImageModel } from './ome-zarr';
import type { Plane } from './pixels';

export const PANEL_KINDS = ['original', 'labels', 'outlines'] as const;

export type PanelKind = (typeof PANEL_KINDS)[number];

export interface ChannelState {
  visible: boolean;
  colour: string;
  limits: [number, number];
}

export interface ViewerState {
  readonly panels: readonly PanelKind[];
  readonly channels: readonly ChannelState[];
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

export interface Store {
  readonly state: ViewerState;
  update(change: Partial<ViewerState>): void;
  updateChannel(index: number, change: Partial<ChannelState>): void;
  /** Call `listener` after each change; returns how to stop that. */
  subscribe(listener: (state: ViewerState, before: ViewerState) => void): () => void;
}

export function initialState(image: ImageModel): ViewerState {
  return {
    panels: ['original'],
    channels: image.channels.map(({ active, colour, window }) => ({
      visible: active,
      colour,
      limits: [window.start, window.end],
    })),
    t: image.defaultT,
    z: image.defaultZ,
    labels: null,
    labelName: '',
    selected: null,
    labelsVisible: true,
    labelOpacity: 0.5,
  };
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
    updateChannel(index, change) {
      update({ channels: state.channels.map((channel, place) => (place === index ? { ...channel, ...change } : channel)) });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
