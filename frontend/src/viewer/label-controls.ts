// SPDX-License-Identifier: AGPL-3.0-or-later
/** Controls of the label image: which one, shown or not, how opaque. */

import { make } from '../shared/dom';
import type { LabelChoice } from './labels';
import type { Store } from './store';

/** `onChoose` loads a choice; it is called for the one to begin with as well: that of kind `preferred`, or the first. */
export function labelControls(
  choices: readonly LabelChoice[],
  store: Store,
  preferred: string | undefined,
  onChoose: (choice: LabelChoice) => void,
): HTMLElement {
  const box = make('fieldset', { class: 'oh-viewer-group' }, make('legend', {}, 'Objects'));
  const first = choices.find(({ name }) => name === preferred) ?? choices[0];
  if (!first) {
    box.append(make('p', { class: 'oh-viewer-hint' }, 'No segmentation has been made of this image yet.'));
    return box;
  }
  const chooser = make('select', { 'aria-label': 'Label image' });
  chooser.append(
    ...choices.map(({ title }, index) => make('option', { value: index, selected: choices[index] === first }, title)),
  );
  chooser.addEventListener('change', () => {
    const choice = choices[Number(chooser.value)];
    if (choice) onChoose(choice);
  });
  const shown = make('input', { type: 'checkbox' });
  shown.addEventListener('change', () => store.update({ labelsVisible: shown.checked }));
  const opacity = make('input', { type: 'range', min: 5, max: 100, step: 5 });
  opacity.addEventListener('input', () => store.update({ labelOpacity: Number(opacity.value) / 100 }));
  const show = () => {
    shown.checked = store.state.labelsVisible;
    opacity.value = String(Math.round(store.state.labelOpacity * 100));
  };
  show();
  store.subscribe(show);
  box.append(
    choices.length > 1 ? chooser : make('p', { class: 'oh-viewer-hint' }, first.title),
    make('label', {}, shown, ' Show (L)'),
    make('label', { class: 'oh-viewer-slider' }, 'Fill', opacity),
  );
  onChoose(first);
  return box;
}
