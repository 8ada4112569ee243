// SPDX-License-Identifier: AGPL-3.0-or-later
/** The few signs on the editor's buttons, drawn as lines on 16 x 16. Each button has its words as well. */

import { make } from '../shared/dom';

const PATHS = {
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  remove: 'M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.6 9h5.8l.6-9M7 7v4M9 7v4',
  fold: 'M4 6l4 4 4-4',
  add: 'M8 3v10M3 8h10',
  undo: 'M6 3L3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6',
  redo: 'M10 3l3 3-3 3M13 6H6.5a3.5 3.5 0 0 0 0 7H10',
  reset: 'M3.5 8a4.5 4.5 0 1 0 1.6-3.4M3.3 2.5v3h3',
  grip: 'M6 3.5h.01M10 3.5h.01M6 8h.01M10 8h.01M6 12.5h.01M10 12.5h.01',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5L14 14',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(namespace, 'svg');
  picture.setAttribute('viewBox', '0 0 16 16');
  picture.setAttribute('aria-hidden', 'true');
  picture.setAttribute('class', `oh-icon oh-icon-${name}`);
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', PATHS[name]);
  picture.append(path);
  return picture;
}

/** A button with a sign only; its words are for those who hear or hover. */
export function iconButton(name: IconName, words: string, onClick: (event: MouseEvent) => void): HTMLButtonElement {
  const button = make('button', { type: 'button', class: 'oh-tool', 'aria-label': words, title: words }, icon(name));
  button.addEventListener('click', onClick);
  return button;
}

/** Give an icon button other words. */
export function rename(button: HTMLButtonElement, words: string): void {
  if (button.title === words) return;
  button.title = words;
  button.setAttribute('aria-label', words);
}
