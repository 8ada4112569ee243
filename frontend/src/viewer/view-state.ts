// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * What the viewer shows, as text behind the `#` of the page's address, so that a link opens the same view.
 *
 * Everything read from an address is checked against the image: what does not fit is left out.
 */

import type { ImageModel } from './ome-zarr';
import type { Sight } from './stage';
import { type ChannelState, PANEL_KINDS, type PanelKind, type ViewerState } from './store';

/** The parts of a view that an address may name; absent parts stay as they are. */
export interface ViewLink {
  sight?: Sight;
  z?: number;
  t?: number;
  panels?: PanelKind[];
  labelName?: string;
  labelsVisible?: boolean;
  labelOpacity?: number;
  selected?: number;
  channels?: (ChannelState | null)[];
  /** Of the processed image, which is known only later. */
  processedChannels?: (ChannelState | null)[];
}

export function encodeView(state: ViewerState, sight: Sight): string {
  const parts = new URLSearchParams();
  parts.set('at', [sight.target[0].toFixed(1), sight.target[1].toFixed(1), sight.zoom.toFixed(3)].join(','));
  parts.set('z', String(state.z + 1));
  parts.set('t', String(state.t + 1));
  parts.set('c', state.channels.map(encodeChannel).join(','));
  if (state.labels || state.processed) parts.set('panels', state.panels.join(','));
  if (state.processed) parts.set('p', state.processedChannels.map(encodeChannel).join(','));
  if (state.labels) {
    parts.set('objects', state.labelName);
    parts.set('fill', state.labelsVisible ? String(Math.round(state.labelOpacity * 100)) : 'off');
  }
  if (state.selected !== null) parts.set('object', String(state.selected));
  return parts.toString();
}

function encodeChannel({ visible, colour, limits }: ChannelState): string {
  const numbers = limits.map((limit) => Number(limit.toPrecision(7))).join('~');
  return `${visible ? '' : '!'}${colour.slice(1)}~${numbers}`;
}

export function decodeView(hash: string, image: ImageModel): ViewLink {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const link: ViewLink = {};
  const [x, y, zoom] = (parts.get('at') ?? '').split(',').map(Number);
  if (finite(x) && finite(y) && finite(zoom)) link.sight = { target: [x, y], zoom };
  const z = whole(parts.get('z'), 1, image.sizeZ);
  if (z !== null) link.z = z - 1;
  const t = whole(parts.get('t'), 1, image.sizeT);
  if (t !== null) link.t = t - 1;
  const panels = PANEL_KINDS.filter((kind) => (parts.get('panels') ?? '').split(',').includes(kind));
  if (panels.length > 0) link.panels = panels;
  const name = parts.get('objects');
  if (name) link.labelName = name;
  const fill = parts.get('fill');
  const percent = whole(fill, 0, 100);
  if (fill === 'off') link.labelsVisible = false;
  else if (percent !== null) link.labelOpacity = percent / 100;
  const selected = whole(parts.get('object'), 1, 2 ** 31 - 1);
  if (selected !== null) link.selected = selected;
  const channels = (parts.get('c') ?? '').split(',').map(decodeChannel);
  // Another number of channels is another kind of image.
  if (channels.length === image.channels.length && channels.some(Boolean)) link.channels = channels;
  const processed = (parts.get('p') ?? '').split(',').map(decodeChannel);
  if (processed.some(Boolean)) link.processedChannels = processed;
  return link;
}

function decodeChannel(text: string): ChannelState | null {
  const found = /^(!?)([0-9a-fA-F]{6})~([^~]+)~([^~]+)$/.exec(text);
  if (!found) return null;
  const [low, high] = [Number(found[3]), Number(found[4])];
  return finite(low) && finite(high) && low < high
    ? { visible: found[1] === '', colour: `#${found[2]}`, limits: [low, high] }
    : null;
}

function finite(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

function whole(text: string | null, low: number, high: number): number | null {
  if (!text || !/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value >= low && value <= high ? value : null;
}
