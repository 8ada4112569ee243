// SPDX-License-Identifier: AGPL-3.0-or-later
/** One parameter of a step: label, control, help, "back to the default", and whether users see it on the run page. */

import type { FunctionParameter } from '../shared/contracts';
import { make } from '../shared/dom';
import { type Surroundings, createControl } from './controls';
import { type EditedDocument, type ParameterValue, exposedOf, same, titleOf, valueOf } from './document';
import { canBeExposed, changeExposed, expose, hide, resetParameter, setParameter } from './edits';
import { type Exposure, createExposure } from './exposure';
import { iconButton } from './icons';
import { type Problems, problemAt, showProblem } from './problems';
import type { Store } from './store';

export interface ParameterRow {
  element: HTMLElement;
  update(document: EditedDocument, at: number, around: Surroundings, problems: Problems): void;
}

/** `place` says where the row's step stands now; `id` is the row's own and stays. */
export function createParameterRow(parameter: FunctionParameter, id: string, place: () => number, store: Store): ParameterRow {
  const group = (what: string) => `${id}.${what}`;
  const control = createControl(parameter, id, (value: ParameterValue) =>
    store.edit((document) => setParameter(document, place(), parameter.name, value), group('value')),
  );
  const title = titleOf(parameter);
  const reset = iconButton('reset', `${title}: back to the default`, () => {
    store.edit((document) => resetParameter(document, place(), parameter));
    control.input.focus();
  });
  const shown = make('input', { type: 'checkbox', id: `${id}-shown` });
  shown.addEventListener('change', () => {
    justShown = shown.checked;
    store.edit((document) => (shown.checked ? expose(document, place(), parameter) : hide(document, place(), parameter.name)));
  });
  const error = make('p', { class: 'oh-field-error', id: `${id}-error`, hidden: true });
  const help = make('p', { class: 'oh-field-help', id: `${id}-help` }, helpOf(parameter));
  control.input.setAttribute('aria-describedby', `${id}-help ${id}-error`);
  const exposurePlace = make('div', { class: 'oh-param-exposure', hidden: true });
  const element = make(
    'div',
    { class: `oh-param oh-param-${parameter.type}`, 'data-parameter': parameter.name },
    make(
      'div',
      { class: 'oh-param-label' },
      make('label', { for: id }, title),
      parameter.inferred
        ? make(
            'span',
            { class: 'oh-tag', title: 'OpenHCS does not state the type; it was read from the default value' },
            'type inferred',
          )
        : null,
    ),
    make('div', { class: 'oh-param-control' }, ...control.parts),
    make(
      'div',
      { class: 'oh-param-tools' },
      canBeExposed(parameter)
        ? make(
            'label',
            { class: 'oh-param-shown', for: shown.id },
            shown,
            make('span', {}, 'On run page', make('span', { class: 'oh-visually-hidden' }, `: ${title}`)),
          )
        : null,
      reset,
    ),
    help,
    error,
    exposurePlace,
  );
  let exposure: Exposure | null = null;
  // Ticking the box asks for a title at once; of what was shown before a line is enough.
  let justShown = false;

  return {
    element,
    update(document, at, around, problems) {
      const own = document.steps[at]?.parameters[parameter.name];
      const value = valueOf(document, at, parameter);
      control.write(value, around);
      const entry = exposedOf(document, at, parameter.name);
      reset.hidden = own === undefined || same(value, parameter.default ?? null);
      element.classList.toggle('oh-set', !reset.hidden);
      element.classList.toggle('oh-shown', entry !== undefined);
      shown.checked = entry !== undefined;
      const entryPath = entry ? `parameters.${document.parameters.indexOf(entry)}` : '';
      const problem =
        problemAt(problems, `steps.${at}.parameters.${parameter.name}`) ||
        (entry ? problemAt(problems, `${entryPath}.default`) : '');
      showProblem(control.input, error, problem);
      exposurePlace.hidden = entry === undefined;
      if (!entry) {
        exposure = null;
        exposurePlace.replaceChildren();
        return;
      }
      if (!exposure) {
        exposure = createExposure(parameter, `${id}-exposed`, (change, what) =>
          store.edit((document) => changeExposed(document, place(), parameter.name, change), group(what)),
        );
        exposure.element.open = justShown;
        exposurePlace.replaceChildren(exposure.element);
      }
      exposure.update(entry, entryPath, problems);
    },
  };
}

function helpOf(parameter: FunctionParameter): string {
  const { minimum, maximum } = parameter;
  let range = '';
  if (minimum !== null && maximum !== null) range = `${minimum} to ${maximum}.`;
  else if (minimum !== null) range = `At least ${minimum}.`;
  else if (maximum !== null) range = `At most ${maximum}.`;
  return [parameter.help, range].filter(Boolean).join(' ');
}
