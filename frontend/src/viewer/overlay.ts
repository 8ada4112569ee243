// SPDX-License-Identifier: AGPL-3.0-or-later
/** What lies over the canvas: for each panel its name, scale bar and a cross at the place under the pointer. */

import { make } from '../shared/dom';
import { scaleBar } from './scale-bar';
import type { PanelKind } from './store';

export const PANEL_TITLES: Readonly<Record<PanelKind, string>> = {
  original: 'Original',
  processed: 'Processed',
  labels: 'Objects',
  outlines: 'Outlines',
};

const LONGEST_BAR = 120;

export interface Overlay {
  setPanels(panels: readonly PanelKind[]): void;
  setZoom(zoom: number, pixelSize: number | null): void;
  /** Show the place (relative to a panel) in all panels but the one that the pointer is in, or nowhere. */
  setCross(at: { x: number; y: number } | null, pointerIn: PanelKind | null): void;
}

interface PanelParts {
  kind: PanelKind;
  bar: HTMLElement;
  barText: HTMLElement;
  cross: HTMLElement;
}

export function createOverlay(host: HTMLElement): Overlay {
  let parts: PanelParts[] = [];
  let shownBar = { length: 0, text: '' };

  function showBars(): void {
    for (const { bar, barText } of parts) {
      bar.style.width = `${shownBar.length}px`;
      barText.textContent = shownBar.text;
    }
  }

  return {
    setPanels(panels) {
      parts = panels.map((kind) => ({
        kind,
        bar: make('span', { class: 'oh-viewer-bar' }),
        barText: make('span', { class: 'oh-viewer-bar-text' }),
        cross: make('span', { class: 'oh-viewer-cross', hidden: true }),
      }));
      host.replaceChildren(
        ...parts.map(({ kind, bar, barText, cross }) =>
          make(
            'div',
            { class: 'oh-viewer-panel', 'data-panel': kind },
            make('span', { class: 'oh-viewer-title' }, PANEL_TITLES[kind]),
            make('span', { class: 'oh-viewer-scale' }, barText, bar),
            cross,
          ),
        ),
      );
      showBars();
    },
    setZoom(zoom, pixelSize) {
      shownBar = scaleBar(pixelSize, zoom, LONGEST_BAR);
      showBars();
    },
    setCross(at, pointerIn) {
      for (const { kind, cross } of parts) {
        cross.hidden = at === null || kind === pointerIn;
        if (at) cross.style.transform = `translate(${at.x}px, ${at.y}px)`;
      }
    },
  };
}
