// SPDX-License-Identifier: AGPL-3.0-or-later
/** Controls of the channels: shown or not, colour, and the intensities from black to full colour. */

import { make } from '../shared/dom';
import { robustLimits } from '../shared/platemap';
import { MOST_CHANNELS } from './layers';
import type { Channel, ImageModel } from './ome-zarr';
import { planeOf, type Store } from './store';

/** Steps of a contrast slider over its whole range. */
const STEPS = 1000;

export function channelControls(image: ImageModel, store: Store, onError: (error: unknown) => void): HTMLElement {
  const box = make('fieldset', { class: 'oh-viewer-group' }, make('legend', {}, 'Channels'));
  image.channels.forEach((channel, index) => {
    box.append(oneChannel(image, channel, index, store, onError));
  });
  return box;
}

function oneChannel(
  image: ImageModel,
  channel: Channel,
  index: number,
  store: Store,
  onError: (error: unknown) => void,
): HTMLElement {
  const range = sliderRange(channel);
  const toSlider = (value: number) => String(Math.round(((value - range.low) / (range.high - range.low)) * STEPS));
  const fromSlider = (text: string) => range.low + (Number(text) / STEPS) * (range.high - range.low);

  const shown = make('input', { type: 'checkbox', class: 'oh-viewer-shown' });
  const colour = make('input', { type: 'color', 'aria-label': `Colour of ${channel.label}` });
  const low = make('input', { type: 'range', min: 0, max: STEPS, 'aria-label': `${channel.label}: black at` });
  const high = make('input', { type: 'range', min: 0, max: STEPS, 'aria-label': `${channel.label}: full colour at` });
  const values = make('output', { class: 'oh-viewer-values' });
  const automatic = make(
    'button',
    { type: 'button', class: 'oh-viewer-small', title: 'Contrast from the pixels of this plane' },
    'Auto',
  );

  shown.addEventListener('change', () => {
    const count = store.state.channels.filter((entry) => entry.visible).length;
    if (shown.checked && count >= MOST_CHANNELS) shown.checked = false;
    else store.updateChannel(index, { visible: shown.checked });
  });
  colour.addEventListener('input', () => store.updateChannel(index, { colour: colour.value }));
  low.addEventListener('input', () => {
    const end = Math.max(Number(high.value), Number(low.value) + 1);
    store.updateChannel(index, { limits: [fromSlider(low.value), fromSlider(String(end))] });
  });
  high.addEventListener('input', () => {
    const start = Math.min(Number(low.value), Number(high.value) - 1);
    store.updateChannel(index, { limits: [fromSlider(String(start)), fromSlider(high.value)] });
  });
  automatic.addEventListener('click', () => {
    measure(image, store, index).then((limits) => {
      if (limits) store.updateChannel(index, { limits });
    }, onError);
  });

  const show = () => {
    const state = store.state.channels[index];
    if (!state) return;
    shown.checked = state.visible;
    colour.value = state.colour.toLowerCase();
    low.value = toSlider(state.limits[0]);
    high.value = toSlider(state.limits[1]);
    values.textContent = `${readable(state.limits[0])} – ${readable(state.limits[1])}`;
  };
  show();
  store.subscribe((state, before) => {
    if (state.channels[index] !== before.channels[index]) show();
  });
  return make(
    'div',
    { class: 'oh-viewer-channel' },
    make('div', { class: 'oh-viewer-row' }, make('label', {}, shown, ` ${channel.label}`), colour, automatic),
    make('div', { class: 'oh-viewer-contrast' }, low, high),
    values,
  );
}

/** What the sliders cover: all intensities that occur, and the limits that are set, with a little room above. */
function sliderRange({ window: { start, end, min, max } }: Channel): { low: number; high: number } {
  const low = Math.min(min, start);
  const high = Math.max(end + (end - start), Math.min(max, end + 4 * (end - start)));
  return high > low ? { low, high } : { low, high: low + 1 };
}

/** Limits that leave out the darkest and brightest fiftieth of the smallest level of the plane on show. */
async function measure(image: ImageModel, store: Store, channel: number): Promise<[number, number] | null> {
  const raster = await image.levels.at(-1)?.getRaster({ selection: planeOf(store.state, channel) });
  const limits = raster ? robustLimits(Array.from(raster.data as ArrayLike<number>)) : null;
  return limits && limits.high > limits.low ? [limits.low, limits.high] : null;
}

function readable(value: number): string {
  return String(Number(value.toPrecision(4)));
}
