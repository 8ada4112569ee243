// SPDX-License-Identifier: AGPL-3.0-or-later
/** Makes a PNG of the view: what is drawn, with the panels' names, the lines between them and their scale bars. */

import { make } from '../shared/dom';
import { PANEL_TITLES } from './overlay';
import { scaleBar } from './scale-bar';
import type { PanelKind } from './store';

export interface PictureOptions {
  canvas: HTMLCanvasElement;
  panels: readonly PanelKind[];
  zoom: number;
  pixelSize: number | null;
  /** Pixels of the canvas per CSS pixel. */
  ratio: number;
}

const BAR = 120;

/** Draw names, lines and scale bars onto the canvas. */
export function annotate({ canvas, panels, zoom, pixelSize, ratio }: PictureOptions): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const width = canvas.width / ratio / panels.length;
  const height = canvas.height / ratio;
  const bar = scaleBar(pixelSize, zoom, BAR);
  // Where nothing was drawn the canvas is transparent; on the page it lies on black.
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = 'source-over';
  context.scale(ratio, ratio);
  context.font = "13px 'Helvetica Neue', Helvetica, Arial, sans-serif";
  context.fillStyle = '#fff';
  panels.forEach((panel, index) => {
    const left = index * width;
    if (index > 0) context.fillRect(left, 0, 2, height);
    context.fillText(PANEL_TITLES[panel], left + 8, 18);
    context.fillRect(left + width - 10 - bar.length, height - 14, bar.length, 4);
    context.textAlign = 'center';
    context.fillText(bar.text, left + width - 10 - bar.length / 2, height - 20);
    context.textAlign = 'left';
  });
}

/** Let the browser save the picture as `<name>.png`. */
export function savePicture(options: PictureOptions, name: string, onError: (error: unknown) => void): void {
  annotate(options);
  options.canvas.toBlob((blob) => {
    if (!blob) {
      onError(new Error('this browser could not make the picture.'));
      return;
    }
    const link = make('a', { href: URL.createObjectURL(blob), download: `${fileName(name)}.png` });
    link.click();
    URL.revokeObjectURL(link.href);
  }, 'image/png');
}

/** A name that every file system takes. */
export function fileName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 100) || 'image';
}
