// SPDX-License-Identifier: AGPL-3.0-or-later
/** The deck.gl layers of a panel: the channels by Viv, and the labels on top as coloured tiles. */

import { COORDINATE_SYSTEM, type Layer } from '@deck.gl/core';
import { TileLayer } from '@deck.gl/geo-layers';
import { BitmapLayer } from '@deck.gl/layers';
import { ColorPaletteExtension } from '@vivjs/extensions';
import { MultiscaleImageLayer } from '@vivjs/layers';
import type { SupportedDtype } from '@vivjs/types';
import { colourChosen, colourTile, type LabelStyle } from './label-colours';
import type { LabelPyramid, LabelTile } from './labels';
import type { ImageModel } from './ome-zarr';
import type { Plane } from './pixels';
import { type PanelKind, planeOf, type ViewerState } from './store';

/** So many channels at once fit into the shader. */
export const MOST_CHANNELS = 10;

const STYLES: Readonly<Record<PanelKind, LabelStyle | null>> = {
  original: null,
  processed: null,
  labels: 'fill',
  outlines: 'outline',
};

export interface LayerBuilder {
  /** The layers of all panels of `state`. */
  build(state: ViewerState): Layer[];
}

/** Whether a layer belongs to the panel with this view. */
export function belongsTo(layerId: string, viewId: string): boolean {
  return layerId.includes(`#${viewId}#`);
}

/** The planes to read; the same array again when they are the same, because Viv reads everything anew for another one. */
function createPlaneChoice(): (wanted: Plane[]) => Plane[] {
  let chosen: Plane[] = [];
  return (wanted) => {
    const same =
      wanted.length === chosen.length &&
      wanted.every((plane, index) => {
        const known = chosen[index];
        return known?.c === plane.c && known.z === plane.z && known.t === plane.t;
      });
    if (!same) chosen = wanted;
    return chosen;
  };
}

/** `onError` is called for tiles that could not be read. */
export function createLayerBuilder(image: ImageModel, onError: (error: unknown) => void): LayerBuilder {
  const extensions = [new ColorPaletteExtension()];
  const ofImage = createPlaneChoice();
  const ofProcessed = createPlaneChoice();

  function imageLayer(panel: PanelKind, state: ViewerState): Layer | null {
    const processed = panel === 'processed' ? state.processed : null;
    const model = processed ?? image;
    const channels = processed ? state.processedChannels : state.channels;
    const visible = channels.flatMap((channel, index) => (channel.visible ? [index] : [])).slice(0, MOST_CHANNELS);
    if (visible.length === 0) return null;
    const shown = visible.map((index) => channels[index]).filter((channel) => channel !== undefined);
    return new MultiscaleImageLayer({
      id: `image-#${panel}#`,
      viewportId: panel,
      loader: model.levels,
      dtype: model.levels[0]?.dtype as SupportedDtype,
      selections: (processed ? ofProcessed : ofImage)(visible.map((channel) => planeOf(state, channel))),
      contrastLimits: shown.map((channel) => channel.limits),
      colors: shown.map((channel) => rgb(channel.colour)),
      channelsVisible: shown.map(() => true),
      extensions,
      onTileError: onError,
      pickable: false,
    } as ConstructorParameters<typeof MultiscaleImageLayer>[0]) as unknown as Layer;
  }

  return {
    build(state) {
      return state.panels.flatMap((panel) => {
        const style = STYLES[panel];
        const below = imageLayer(panel, state);
        const above = style && state.labels ? labelLayer(panel, style, state.labels, state, onError) : null;
        const chosen = style && state.labels ? chosenLayer(panel, state.labels, state, onError) : null;
        return [below, above, chosen].filter((layer): layer is Layer => layer !== null);
      });
    },
  };
}

interface ColouredTile {
  image: ImageData;
  level: number;
}

function labelLayer(
  panel: PanelKind,
  style: LabelStyle,
  labels: LabelPyramid,
  state: ViewerState,
  onError: (error: unknown) => void,
): Layer {
  const opacity = style === 'fill' ? state.labelOpacity : 1;
  return colouredLayer(`labels-#${panel}#`, labels, state, onError, [], opacity, (tile) => colourTile(tile, style));
}

/** The outline of the chosen object, on top of all others. */
function chosenLayer(
  panel: PanelKind,
  labels: LabelPyramid,
  state: ViewerState,
  onError: (error: unknown) => void,
): Layer | null {
  const id = state.selected;
  if (id === null) return null;
  return colouredLayer(`chosen-#${panel}#`, labels, state, onError, [id], 1, (tile) => colourChosen(tile, id));
}

/** `colour` makes pixels (RGBA) of a tile, or null where there is nothing to draw; it is called anew when `depends` changes. */
function colouredLayer(
  id: string,
  labels: LabelPyramid,
  state: ViewerState,
  onError: (error: unknown) => void,
  depends: readonly unknown[],
  opacity: number,
  colour: (tile: LabelTile) => Uint8ClampedArray<ArrayBuffer> | null,
): Layer {
  const { width = 0, height = 0 } = labels.levels[0] ?? {};
  const plane = planeOf(state);
  return new TileLayer<ColouredTile | null>({
    id,
    extent: [0, 0, width, height],
    tileSize: labels.tileSize,
    minZoom: 1 - labels.levels.length,
    maxZoom: 0,
    opacity,
    visible: state.labelsVisible,
    pickable: false,
    // Levels above each other would add up where the overlay is half transparent.
    refinementStrategy: 'no-overlap',
    updateTriggers: { getTileData: [labels, plane.t, plane.z, ...depends] },
    onTileError: onError,
    getTileData: async ({ index: { x, y, z } }) => {
      const tile = await labels.tile(-z, x, y, plane);
      if (tile.width === 0 || tile.height === 0) return null;
      const pixels = colour(tile);
      return pixels && { image: new ImageData(pixels, tile.width, tile.height), level: -z };
    },
    renderSubLayers: (props) => {
      const tile = props.data as unknown as ColouredTile | null;
      if (!tile) return null;
      const size = labels.tileSize * 2 ** tile.level;
      const left = props.tile.index.x * size;
      const top = props.tile.index.y * size;
      // As Viv does for the image: a last tile reaches to the image's edge, although the odd last row is left out.
      const right = tile.image.width < labels.tileSize ? width : left + size;
      const bottom = tile.image.height < labels.tileSize ? height : top + size;
      return new BitmapLayer({
        id: `${props.id}-bitmap`,
        image: tile.image,
        opacity,
        bounds: [left, bottom, right, top],
        coordinateSystem: COORDINATE_SYSTEM.CARTESIAN,
        textureParameters: { minFilter: 'nearest', magFilter: 'nearest', mipmapFilter: 'none' },
      });
    },
  });
}

function rgb(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
