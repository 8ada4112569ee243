// SPDX-License-Identifier: AGPL-3.0-or-later
/** Controls of the channels: shown or not, colour, and the intensities from black to full colour. */

import { make } from '../shared/dom';
import { automaticLimits, fullLimits, histogram, histogramView } from './histogram';
import { MOST_CHANNELS } from './layers';
import type { Channel, ImageModel } from './ome-zarr';
import { type ChannelList, planeOf, type Store } from './store';

/** Steps of a contrast slider over its whole range. */
const STEPS = 1000;

const LEGENDS: Readonly<Record<ChannelList, string>> = { channels: 'Channels', processedChannels: 'Processed image' };

/** For the channels of `image` that are in this list of the store. */
export function channelControls(
  image: ImageModel,
  store: Store,
  onError: (error: unknown) => void,
  list: ChannelList = 'channels',
): HTMLElement {
  const box = make('fieldset', { class: 'oh-viewer-group' }, make('legend', {}, LEGENDS[list]));
  image.channels.forEach((channel, index) => {
    box.append(oneChannel(image, channel, list, index, store, onError));
  });
  return box;
}

function oneChannel(
  image: ImageModel,
  channel: Channel,
  list: ChannelList,
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
  const small = (title: string, text: string) => make('button', { type: 'button', class: 'oh-viewer-small', title }, text);
  const automatic = small('Contrast that leaves out the darkest and brightest few pixels of this plane', 'Auto');
  const full = small('Contrast from the darkest to the brightest pixel of this plane, as it looks when small', 'Min–max');
  const bars = histogramView(channel.label);

  shown.addEventListener('change', () => {
    const count = store.state[list].filter((entry) => entry.visible).length;
    if (shown.checked && count >= MOST_CHANNELS) shown.checked = false;
    else store.updateChannel(list, index, { visible: shown.checked });
  });
  colour.addEventListener('input', () => store.updateChannel(list, index, { colour: colour.value }));
  low.addEventListener('input', () => {
    const end = Math.max(Number(high.value), Number(low.value) + 1);
    store.updateChannel(list, index, { limits: [fromSlider(low.value), fromSlider(String(end))] });
  });
  high.addEventListener('input', () => {
    const start = Math.min(Number(low.value), Number(high.value) - 1);
    store.updateChannel(list, index, { limits: [fromSlider(String(start)), fromSlider(high.value)] });
  });
  const stretch = (button: HTMLElement, limitsOf: (values: Pixels) => [number, number] | null) =>
    button.addEventListener('click', () => {
      smallestPlane(image, store, index).then((values) => {
        const limits = limitsOf(values);
        if (limits) store.updateChannel(list, index, { limits });
      }, onError);
    });
  stretch(automatic, automaticLimits);
  stretch(full, fullLimits);
  const showBars = () => {
    const { z, t } = store.state;
    smallestPlane(image, store, index).then((values) => {
      // Whoever moves a slider quickly sees the last plane, not the last to arrive.
      if (store.state.z === z && store.state.t === t) bars.setCounts(histogram(values, range.low, range.high));
    }, onError);
  };

  const show = () => {
    const state = store.state[list][index];
    if (!state) return;
    shown.checked = state.visible;
    colour.value = state.colour.toLowerCase();
    low.value = toSlider(state.limits[0]);
    high.value = toSlider(state.limits[1]);
    const share = (value: number) => (value - range.low) / (range.high - range.low);
    bars.setLimits(share(state.limits[0]), share(state.limits[1]));
    values.textContent = `${readable(state.limits[0])} – ${readable(state.limits[1])}`;
  };
  show();
  showBars();
  store.subscribe((state, before) => {
    if (state[list][index] !== before[list][index]) show();
    if (state.z !== before.z || state.t !== before.t) showBars();
  });
  return make(
    'div',
    { class: 'oh-viewer-channel' },
    make('div', { class: 'oh-viewer-row' }, make('label', {}, shown, ` ${channel.label}`), colour),
    bars.element,
    make('div', { class: 'oh-viewer-contrast' }, low, high),
    make('div', { class: 'oh-viewer-row' }, values, automatic, full),
  );
}

/** What the sliders cover: all intensities that occur, and the limits that are set, with a little room above. */
function sliderRange({ window: { start, end, min, max } }: Channel): { low: number; high: number } {
  const low = Math.min(min, start);
  const high = Math.max(end + (end - start), Math.min(max, end + 4 * (end - start)));
  return high > low ? { low, high } : { low, high: low + 1 };
}

type Pixels = ArrayLike<number | bigint>;

/** The pixels of the plane on show at its smallest level: enough to judge its intensities. */
async function smallestPlane(image: ImageModel, store: Store, channel: number): Promise<Pixels> {
  const raster = await image.levels.at(-1)?.getRaster({ selection: planeOf(store.state, channel) });
  return (raster?.data ?? []) as Pixels;
}

function readable(value: number): string {
  return String(Number(value.toPrecision(4)));
}
