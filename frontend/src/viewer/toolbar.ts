// SPDX-License-Identifier: AGPL-3.0-or-later
/** The line above the images: field and well, which panels, magnification, and what is under the pointer. */

import { make } from '../shared/dom';
import { PANEL_TITLES } from './overlay';
import type { Stage } from './stage';
import { PANEL_KINDS, possiblePanels, type Store } from './store';

/** A neighbouring image and the address of its page. */
export interface Step {
  title: string;
  url: string;
}

/** Where the image lies on its plate. */
export interface Neighbours {
  fields: readonly (Step & { current: boolean })[];
  previousWell: Step | null;
  nextWell: Step | null;
}

export interface ToolbarActions {
  /** The part of the address that keeps this view, for a link to another image. */
  viewForOthers(): string;
  copyLink(): Promise<void>;
  download(): void;
}

export function createToolbar(stage: Stage, store: Store, neighbours: Neighbours | null, actions: ToolbarActions): HTMLElement {
  const zoom = (text: string, title: string, action: () => void) => {
    const button = make('button', { type: 'button', title, 'aria-label': title }, text);
    button.addEventListener('click', action);
    return button;
  };
  return make(
    'div',
    { class: 'oh-viewer-toolbar', role: 'toolbar', 'aria-label': 'View' },
    neighbours && placeControls(neighbours, actions),
    panelControls(store),
    make(
      'span',
      { class: 'oh-viewer-buttons' },
      zoom('−', 'Smaller (−)', () => stage.zoomBy(-1)),
      zoom('Fit', 'Fit the whole image (0)', () => stage.fit()),
      zoom('+', 'Larger (+)', () => stage.zoomBy(1)),
    ),
    make('span', { class: 'oh-viewer-buttons' }, linkButton(actions), pictureButton(actions)),
  );
}

const SAID_FOR = 2000; // milliseconds

function linkButton({ copyLink }: ToolbarActions): HTMLElement {
  const button = make('button', { type: 'button', title: 'Copy the address of exactly this view' }, 'Copy link');
  const say = (text: string) => {
    button.textContent = text;
    setTimeout(() => {
      button.textContent = 'Copy link';
    }, SAID_FOR);
  };
  button.addEventListener('click', () => {
    copyLink().then(
      () => say('Copied'),
      (error: unknown) => say(error instanceof Error ? error.message : String(error)),
    );
  });
  return button;
}

function pictureButton({ download }: ToolbarActions): HTMLElement {
  const button = make('button', { type: 'button', title: 'Download this view as a PNG image' }, 'Picture');
  button.addEventListener('click', download);
  return button;
}

function placeControls({ fields, previousWell, nextWell }: Neighbours, { viewForOthers }: ToolbarActions): HTMLElement {
  const link = (step: Step | null, text: (title: string) => string, rel: string) => {
    if (!step) return null;
    const anchor = make('a', { href: step.url, rel, class: 'oh-viewer-step' }, text(step.title));
    // Written when it is followed, so that it has the view of that moment.
    const refresh = () => {
      anchor.href = step.url + viewForOthers();
    };
    for (const kind of ['pointerdown', 'focus', 'click']) anchor.addEventListener(kind, refresh);
    return anchor;
  };
  const chooser = make('select', { 'aria-label': 'Field' });
  chooser.append(...fields.map(({ title, url, current }) => make('option', { value: url, selected: current }, title)));
  chooser.addEventListener('change', () => location.assign(chooser.value + viewForOthers()));
  return make(
    'span',
    { class: 'oh-viewer-buttons' },
    link(previousWell, (title) => `‹ ${title}`, 'prev'),
    fields.length > 1 && chooser,
    link(nextWell, (title) => `${title} ›`, 'next'),
  );
}

/** Switches for the panels; the last one cannot be switched off. Hidden until there is something to compare with. */
function panelControls(store: Store): HTMLElement {
  const box = make('span', { class: 'oh-viewer-buttons', role: 'group', 'aria-label': 'Panels' });
  const buttons = PANEL_KINDS.map((kind) => {
    const button = make('button', { type: 'button' }, PANEL_TITLES[kind]);
    button.addEventListener('click', () => {
      const { panels } = store.state;
      const next = PANEL_KINDS.filter((panel) => (panel === kind ? !panels.includes(panel) : panels.includes(panel)));
      if (next.length > 0) store.update({ panels: next });
    });
    box.append(button);
    return { kind, button };
  });
  const show = () => {
    const possible = possiblePanels(store.state);
    box.hidden = possible.length < 2;
    for (const { kind, button } of buttons) {
      button.hidden = !possible.includes(kind);
      button.setAttribute('aria-pressed', String(store.state.panels.includes(kind)));
    }
  };
  show();
  store.subscribe(show);
  return box;
}
