// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The drawing area: one WebGL canvas with a view per panel. All views have one and the same view state, so they show the
 * same place at the same magnification by construction and nothing has to be kept in step.
 */

import { Deck, type Layer, OrthographicView, type OrthographicViewState } from '@deck.gl/core';
import { belongsTo } from './layers';
import type { PanelKind } from './store';

/** The middle of every panel in image pixels, and the magnification: an image pixel takes 2 ** zoom screen pixels. */
export interface Sight {
  target: [number, number];
  zoom: number;
}

export interface Pointer {
  panel: PanelKind;
  /** Image pixel under the pointer; may lie outside the image. */
  x: number;
  y: number;
}

export interface StageOptions {
  canvasHost: HTMLElement;
  width: number;
  height: number;
  onSight: (sight: Sight) => void;
  onPointer: (pointer: Pointer | null) => void;
  /** A click that moved nothing. */
  onClick: (pointer: Pointer) => void;
  onError: (error: unknown) => void;
}

export interface Stage {
  readonly sight: Sight;
  setPanels(panels: readonly PanelKind[]): void;
  setLayers(layers: Layer[]): void;
  setSight(sight: Sight): void;
  /** Show the whole image. */
  fit(): void;
  /** Magnify by 2 ** steps around the middle. */
  zoomBy(steps: number): void;
  /** Move by a share of a panel's size. */
  pan(horizontal: number, vertical: number): void;
  /** Where an image pixel lies on the screen, relative to its panel, in CSS pixels. */
  toPanel(x: number, y: number): { x: number; y: number };
  /** A copy of what is drawn at this moment, in the pixels of the screen. */
  picture(): HTMLCanvasElement;
  destroy(): void;
}

/** Image pixels are never larger than 2 ** 6 screen pixels. */
const LARGEST_ZOOM = 6;
/** How far beyond showing the whole image one can go. */
const ZOOM_OUT_FURTHER = 2;
/** A pointer that moved farther than this between pressing and letting go moved the image. */
const CLICK_TOLERANCE = 4;
/** Free room around a fitted image. */
const MARGIN = 0.06;

const CONTROLLER = { dragRotate: false, touchRotate: false, keyboard: false, doubleClickZoom: true, inertia: false } as const;

export function createStage(options: StageOptions): Stage {
  const { canvasHost, width, height } = options;
  let panels: readonly PanelKind[] = [];
  let sight: Sight = { target: [width / 2, height / 2], zoom: 0 };

  const deck = new Deck<OrthographicView[]>({
    parent: canvasHost as HTMLDivElement,
    style: { position: 'absolute', left: '0', top: '0' },
    views: [],
    viewState: {},
    layers: [],
    layerFilter: ({ layer, viewport }) => belongsTo(layer.id, viewport.id),
    onViewStateChange: ({ viewState }) => {
      const { target, zoom } = viewState as OrthographicViewState;
      setSight({ target: [target?.[0] ?? width / 2, target?.[1] ?? height / 2], zoom: zoom as number });
    },
    onError: (error) => options.onError(error),
    getCursor: ({ isDragging }) => (isDragging ? 'grabbing' : 'crosshair'),
  });

  function panelSize(): { width: number; height: number } {
    return { width: canvasHost.clientWidth / Math.max(1, panels.length), height: canvasHost.clientHeight };
  }

  function fittingZoom(): number {
    const size = panelSize();
    if (!size.width || !size.height) return 0;
    return Math.log2(Math.min(size.width / width, size.height / height) * (1 - MARGIN));
  }

  function setSight(next: Sight): void {
    const lowest = fittingZoom() - ZOOM_OUT_FURTHER;
    sight = {
      target: [clamp(next.target[0], 0, width), clamp(next.target[1], 0, height)],
      zoom: clamp(next.zoom, lowest, Math.max(LARGEST_ZOOM, lowest)),
    };
    const state = { target: [...sight.target, 0] as [number, number, number], zoom: sight.zoom };
    deck.setProps({ viewState: Object.fromEntries(panels.map((panel) => [panel, state])) });
    options.onSight(sight);
  }

  function pointerOf(event: MouseEvent): Pointer | null {
    const box = canvasHost.getBoundingClientRect();
    const size = panelSize();
    const inside = event.clientX - box.left;
    const index = Math.floor(inside / size.width);
    const panel = panels[index];
    if (!panel) return null;
    const scale = 2 ** sight.zoom;
    return {
      panel,
      x: sight.target[0] + (inside - (index + 0.5) * size.width) / scale,
      y: sight.target[1] + (event.clientY - box.top - size.height / 2) / scale,
    };
  }

  const onMove = (event: PointerEvent) => options.onPointer(pointerOf(event));
  let pressedAt: readonly [number, number] = [0, 0];
  const onDown = (event: PointerEvent) => {
    pressedAt = [event.clientX, event.clientY];
  };
  const onClick = (event: MouseEvent) => {
    if (Math.hypot(event.clientX - pressedAt[0], event.clientY - pressedAt[1]) > CLICK_TOLERANCE) return;
    const pointer = pointerOf(event);
    if (pointer) options.onClick(pointer);
  };

  const onLeave = () => options.onPointer(null);
  // The event does not bubble, so it is caught on its way down.
  const onContextLost = () => options.onError(new Error('the graphics card was taken away from this page.'));
  canvasHost.addEventListener('webglcontextlost', onContextLost, { capture: true });
  canvasHost.addEventListener('pointermove', onMove);
  canvasHost.addEventListener('pointerdown', onDown, { capture: true });
  canvasHost.addEventListener('click', onClick);
  canvasHost.addEventListener('pointerleave', onLeave);

  const stage: Stage = {
    get sight() {
      return sight;
    },
    setPanels(next) {
      panels = next;
      const share = 100 / panels.length;
      deck.setProps({
        views: panels.map(
          (panel, index) =>
            new OrthographicView({
              id: panel,
              x: `${index * share}%`,
              width: `${share}%`,
              flipY: true,
              controller: CONTROLLER,
            }),
        ),
      });
      setSight(sight);
    },
    setLayers: (layers) => deck.setProps({ layers }),
    setSight,
    fit: () => setSight({ target: [width / 2, height / 2], zoom: fittingZoom() }),
    zoomBy: (steps) => setSight({ ...sight, zoom: sight.zoom + steps }),
    pan(horizontal, vertical) {
      const size = panelSize();
      const scale = 2 ** sight.zoom;
      const [x, y] = sight.target;
      setSight({ ...sight, target: [x + (horizontal * size.width) / scale, y + (vertical * size.height) / scale] });
    },
    toPanel(x, y) {
      const size = panelSize();
      const scale = 2 ** sight.zoom;
      return { x: size.width / 2 + (x - sight.target[0]) * scale, y: size.height / 2 + (y - sight.target[1]) * scale };
    },
    picture() {
      const drawn = deck.getCanvas();
      const copy = document.createElement('canvas');
      if (!drawn) return copy;
      copy.width = drawn.width;
      copy.height = drawn.height;
      // The browser forgets what was drawn when this task ends, so it is drawn anew and copied at once.
      deck.redraw('picture');
      copy.getContext('2d')?.drawImage(drawn, 0, 0);
      return copy;
    },
    destroy() {
      canvasHost.removeEventListener('webglcontextlost', onContextLost, { capture: true });
      canvasHost.removeEventListener('pointermove', onMove);
      canvasHost.removeEventListener('pointerdown', onDown, { capture: true });
      canvasHost.removeEventListener('click', onClick);
      canvasHost.removeEventListener('pointerleave', onLeave);
      deck.finalize();
    },
  };
  return stage;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
