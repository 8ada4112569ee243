// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The image viewer: original, objects and outlines side by side at the same place.
 *
 *     const viewer = await mountViewer(element, { zarr: '/openhcs/zarr/0.4/image/7.zarr/' });
 *     viewer.destroy();
 *
 * It fills `element`, which needs a height. Whatever goes wrong is said inside it, with a way to try again.
 */

import { make } from '../shared/dom';
import { type Api, ApiError } from '../shared/api';
import { openImage } from './ome-zarr';
import type { Neighbours } from './toolbar';
import { missingGraphics } from './webgl';
import './viewer.css';

export type { Neighbours, Step } from './toolbar';

export interface ViewerOptions {
  /** Address of the image's OME-Zarr 0.4, ending in `.zarr/`. */
  zarr: string;
  /** Show the label images of this execution only. With `api`, `well` and `field` also those that are not in OMERO. */
  execution?: string;
  api?: Api;
  well?: string;
  /** Counts from 1. */
  field?: number;
  neighbours?: Neighbours | null;
  /** Id of the image in OMERO: with it, objects chosen here and elsewhere on the page are the same. */
  imageId?: number;
  /** Name of downloaded pictures, by default the image's. */
  title?: string;
  /** Offer to open the image in other software. */
  elsewhere?: { iviewer: string; vizarr: string };
  /** Address of the image's own viewer page, for links to a view; by default the page that this is on. */
  page?: string;
  /** Keep the view behind the `#` of the page's address. */
  keepsAddress?: boolean;
}

export interface Viewer {
  destroy(): void;
}

/** Show an image in `element`. Resolves when the image is known and drawing has begun, or when the error is shown. */
export async function mountViewer(element: HTMLElement, options: ViewerOptions): Promise<Viewer> {
  element.classList.add('oh-viewer');
  const banner = make('div', { class: 'oh-viewer-banner', role: 'alert', hidden: true });
  const waiting = make('p', { class: 'oh-viewer-waiting', role: 'status' }, 'Opening the image…');
  element.replaceChildren(banner, waiting);

  const missing = missingGraphics();
  if (missing) {
    waiting.remove();
    showBanner(banner, missing, null);
    return { destroy: () => element.replaceChildren() };
  }
  let current: Viewer = { destroy: () => undefined };
  const retry = () => {
    current.destroy();
    void mountViewer(element, options).then((viewer) => {
      current = viewer;
    });
  };
  const fail = (error: unknown) => showBanner(banner, sentence(error), retry);
  try {
    // The drawing library is most of the script's size; it is loaded while OMERO is asked about the image.
    const [{ showImage }, image] = await Promise.all([import('./show'), openImage(options.zarr)]);
    waiting.remove();
    current = showImage(element, image, options, fail);
  } catch (error) {
    waiting.remove();
    fail(error);
  }
  return { destroy: () => current.destroy() };
}

function sentence(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  const cause = error instanceof Error && error.cause instanceof ApiError ? error.cause : null;
  if (cause) return cause.message;
  return `The image cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
}

function showBanner(banner: HTMLElement, text: string, retry: (() => void) | null): void {
  banner.replaceChildren(make('span', {}, text));
  if (retry) {
    const button = make('button', { type: 'button' }, 'Try again');
    button.addEventListener('click', retry);
    banner.append(button);
  }
  banner.hidden = false;
}
