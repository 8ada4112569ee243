// SPDX-License-Identifier: AGPL-3.0-or-later
/** A field of a well beside the same field with what a test found on it; both stay in place while tests come and go. */

import { make } from '../../shared/dom';
import type { LabelPixels } from '../../shared/label-pixels';
import { drawOutlines } from './label-overlay';

export interface TestPictures {
  readonly element: HTMLElement;
  /** Show the field itself on both sides, without outlines. */
  showField(image: number, title: string): void;
  /** Draw what was found over the right-hand picture. */
  showFound(labels: LabelPixels, caption: string, viewer: string): void;
  /** Take the outlines away, and say why there are none. */
  showNothing(caption: string): void;
}

const PICTURE_SIZE = 512;

/** `thumbnails` is the base address of OMERO.web's thumbnails, with a slash at the end. */
export function createTestPictures(thumbnails: string): TestPictures {
  const original = make('img', { alt: '' });
  const below = make('img', { alt: '' });
  const canvas = make('canvas', { 'aria-hidden': 'true', hidden: true });
  const title = make('figcaption', {});
  const caption = make('figcaption', { 'aria-live': 'polite' });
  const element = make(
    'div',
    { class: 'oh-pictures' },
    make('figure', {}, make('div', { class: 'oh-picture' }, original), title),
    make('figure', { class: 'oh-outlined' }, make('div', { class: 'oh-picture' }, below, canvas), caption),
  );
  return {
    element,
    showField(image, text) {
      const source = `${thumbnails}${image}/${PICTURE_SIZE}/`;
      title.textContent = `Original, ${text}`;
      if (original.getAttribute('src') === source) return;
      for (const picture of [original, below]) picture.src = source;
      original.alt = `The image of ${text}`;
      below.alt = '';
      canvas.hidden = true;
    },
    showFound(labels, text, viewer) {
      drawOutlines(canvas, labels);
      canvas.hidden = false;
      below.alt = `The same field, ${text}`;
      caption.replaceChildren(`${text} · `, make('a', { href: viewer }, 'open in the viewer'));
    },
    showNothing(text) {
      canvas.hidden = true;
      caption.textContent = text;
    },
  };
}
