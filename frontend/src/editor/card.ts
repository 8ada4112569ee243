// SPDX-License-Identifier: AGPL-3.0-or-later
/** The card of one step: its name, what it does, its values; and the buttons that move, repeat, remove or switch it off. */

import type { FunctionInfo } from '../shared/contracts';
import { make } from '../shared/dom';
import { type ChannelChoice, createChannelChoice } from './channel-choice';
import type { Surroundings } from './controls';
import { describe } from './differences';
import { type EditedDocument, type Step, exposedOf, objectsBefore, titleOf, valueOf, words } from './document';
import { changeStep } from './edits';
import { icon, iconButton, rename } from './icons';
import { type ParameterRow, createParameterRow } from './parameter-row';
import { type Problems, problemAt, problemOf, showProblem } from './problems';
import type { Store } from './store';

export interface CardActions {
  move(key: number, by: number): void;
  duplicate(key: number): void;
  remove(key: number): void;
  insertAfter(key: number): void;
}

export interface CardContext {
  functions: ReadonlyMap<string, FunctionInfo>;
  /** False while the catalogue has not been read. */
  functionsKnown: boolean;
  channels: readonly string[] | null;
  problems: Problems;
}

export interface Card {
  readonly element: HTMLLIElement;
  readonly handle: HTMLElement;
  update(document: EditedDocument, at: number, context: CardContext): void;
  open(open?: boolean): void;
  focus(): void;
}

export function createCard(key: number, store: Store, actions: CardActions, openAtFirst: boolean): Card {
  const id = `oh-step-${key}`;
  let at = 0;
  const place = () => at;
  const edit = (change: Partial<Step>, what: string) =>
    store.edit((document) => changeStep(document, at, change), `${id}.${what}`);

  const heading = make('h3', { class: 'oh-visually-hidden' });
  const number = make('span', { class: 'oh-step-number', 'aria-hidden': 'true' });
  const handle = make('span', { class: 'oh-grip', title: 'Drag to another place', 'aria-hidden': 'true' }, icon('grip'));
  const name = make('input', {
    type: 'text',
    id: `${id}-name`,
    class: 'oh-title-input',
    maxlength: 120,
    'aria-describedby': `${id}-error`,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  name.addEventListener('input', () => edit({ name: name.value }, 'name'));
  const about = make('p', { class: 'oh-sub oh-step-about' });
  const error = make('p', { class: 'oh-field-error', id: `${id}-error`, hidden: true });

  const on = make('input', { type: 'checkbox', role: 'switch', id: `${id}-on` });
  const onWords = make('span', { class: 'oh-visually-hidden' });
  on.addEventListener('change', () => edit({ enabled: on.checked ? undefined : false } as Partial<Step>, ''));
  const up = iconButton('up', '', () => actions.move(key, -1));
  const down = iconButton('down', '', () => actions.move(key, 1));
  const copy = iconButton('copy', '', () => actions.duplicate(key));
  const remove = iconButton('remove', '', () => actions.remove(key));
  const fold = iconButton('fold', '', () => show(body.hidden !== false));
  fold.setAttribute('aria-controls', `${id}-body`);

  const summary = make('p', { class: 'oh-step-summary' });
  const help = make('p', { class: 'oh-step-help' });
  const values = make('div', { class: 'oh-params' });
  const body = make('div', { class: 'oh-step-body', id: `${id}-body` }, help, values);
  const card = make(
    'div',
    { class: 'oh-card oh-step-card', role: 'group' },
    heading,
    make(
      'div',
      { class: 'oh-step-head' },
      handle,
      number,
      make(
        'div',
        { class: 'oh-step-title' },
        make('label', { class: 'oh-visually-hidden', for: name.id }, 'Name of the step'),
        name,
        about,
      ),
      make(
        'div',
        { class: 'oh-step-tools', role: 'group', 'aria-label': 'Change the step' },
        make('label', { class: 'oh-switch', for: on.id, title: 'Switch the step on or off' }, on, onWords),
        up,
        down,
        copy,
        remove,
        fold,
      ),
    ),
    error,
    summary,
    body,
  );
  const insert = make('button', { type: 'button', class: 'oh-insert' }, icon('add'), make('span', {}, 'Add a step here'));
  insert.addEventListener('click', () => actions.insertAfter(key));
  const element = make('li', { class: 'oh-step', 'data-key': key }, card, insert);

  card.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (!event.altKey || event.ctrlKey || event.metaKey || by === 0) return;
    event.preventDefault();
    actions.move(key, by);
  });

  function show(open: boolean): void {
    body.hidden = !open;
    summary.hidden = open;
    fold.setAttribute('aria-expanded', String(open));
  }
  show(openAtFirst);

  let shownFor: FunctionInfo | undefined | null = null;
  let shownNames = '';
  let rows: ParameterRow[] = [];
  let channels: ChannelChoice | null = null;
  let source: HTMLSelectElement | null = null;
  let advanced: HTMLDetailsElement | null = null;

  /** Make the form anew when the step has another function, or a value that the function does not know. */
  function makeForm(step: Step, info: FunctionInfo | undefined, context: CardContext): void {
    const unknown = Object.keys(step.parameters).filter(
      (parameter) => !info?.parameters.some((known) => known.name === parameter),
    );
    const signature = JSON.stringify([unknown, Array.isArray(step.channels)]);
    if (shownFor === info && shownNames === signature) return;
    shownFor = info;
    shownNames = signature;
    const parameters = info?.parameters ?? [];
    const made = new Map(
      parameters.map((parameter) => [parameter.name, createParameterRow(parameter, `${id}-${parameter.name}`, place, store)]),
    );
    rows = [...made.values()];
    const element = (parameter: { name: string }) => made.get(parameter.name)?.element ?? null;
    const plain = parameters.filter((parameter) => !parameter.advanced);
    const folded = parameters.filter((parameter) => parameter.advanced);
    channels = null;
    if (info?.restrictable || Array.isArray(step.channels)) {
      channels = createChannelChoice(`${id}-channels`, context.channels, (chosen) =>
        edit({ channels: chosen } as Partial<Step>, 'channels'),
      );
    }
    source = make('select', { id: `${id}-input`, class: 'oh-input' });
    source.append(
      make('option', { value: 'previous' }, 'the result of the step before'),
      make('option', { value: 'start' }, 'the original images'),
    );
    source.addEventListener('change', () =>
      edit({ input: source?.value === 'start' ? 'start' : undefined } as Partial<Step>, ''),
    );
    const wasOpen = advanced?.open ?? false;
    advanced = make(
      'details',
      { class: 'oh-advanced', open: wasOpen },
      make('summary', {}, folded.length > 0 ? `Advanced (${folded.length + 1})` : 'Advanced'),
      ...folded.map(element),
      make(
        'div',
        { class: 'oh-param' },
        make('div', { class: 'oh-param-label' }, make('label', { for: source.id }, 'Reads')),
        make('div', { class: 'oh-param-control' }, source),
      ),
    );
    values.replaceChildren(
      ...plain.map(element).filter((row) => row !== null),
      ...(channels ? [channels.element] : []),
      ...unknown.map((parameter) => unknownRow(step, parameter, info !== undefined || context.functionsKnown)),
      advanced,
    );
  }

  /** A value that the catalogue does not explain: shown as it is, and removable. */
  function unknownRow(step: Step, parameter: string, known: boolean): HTMLElement {
    const tool = iconButton('remove', `Remove ${parameter}`, () =>
      store.edit((document) => {
        const { [parameter]: _, ...kept } = document.steps[at]?.parameters ?? {};
        return changeStep(document, at, { parameters: kept });
      }),
    );
    return make(
      'div',
      { class: 'oh-param' },
      make(
        'div',
        { class: 'oh-param-label' },
        words(parameter),
        known ? make('span', { class: 'oh-tag' }, 'not known to the function') : null,
      ),
      make('div', { class: 'oh-param-control' }, describe(step.parameters[parameter])),
      make('div', { class: 'oh-param-tools' }, known ? tool : null),
    );
  }

  function summarise(document: EditedDocument, info: FunctionInfo | undefined): void {
    const told = (info?.parameters ?? []).filter((parameter) => !parameter.advanced).slice(0, 6);
    summary.replaceChildren(
      ...told.map((parameter) => {
        const value = describe(valueOf(document, at, parameter));
        const unit = parameter.unit ? ` ${parameter.unit}` : '';
        const exposed = exposedOf(document, at, parameter.name) ? make('span', { class: 'oh-tag' }, 'on run page') : null;
        const shown = parameter.type === 'choice' ? words(value) : value;
        return make('span', {}, `${titleOf(parameter)} `, make('b', {}, shown + unit), exposed ? ' ' : null, exposed);
      }),
    );
  }

  return {
    element,
    handle,
    open: (open = true) => show(open),
    focus() {
      name.focus();
      name.select();
    },
    update(document, index, context) {
      at = index;
      const step = document.steps[at];
      if (!step) return;
      const info = context.functions.get(step.function);
      makeForm(step, info, context);

      const enabled = step.enabled !== false;
      const told = `step ${at + 1}, ${step.name || 'without a name'}`;
      heading.textContent = `Step ${at + 1}: ${step.name}${enabled ? '' : ' (off)'}`;
      number.textContent = String(at + 1);
      card.setAttribute('aria-label', `Step ${at + 1}: ${step.name}`);
      card.classList.toggle('oh-off', !enabled);
      if (name.value !== step.name) name.value = step.name;
      about.replaceChildren(...aboutOf(step, info, context));
      help.textContent = info?.help ?? '';
      help.hidden = help.textContent === '';
      on.checked = enabled;
      onWords.textContent = `Run ${told}`;
      rename(up, `Move ${told} up`);
      rename(down, `Move ${told} down`);
      rename(copy, `Duplicate ${told}`);
      rename(remove, `Remove ${told}`);
      rename(fold, `Values of ${told}`);
      up.disabled = at === 0;
      down.disabled = at === document.steps.length - 1;
      insert.setAttribute('aria-label', `Add a step after ${told}`);

      const around: Surroundings = { channels: context.channels, objects: objectsBefore(document, at, context.functions) };
      for (const row of rows) row.update(document, at, around, context.problems);
      channels?.update(step.channels, `steps.${at}.channels`, context.problems);
      if (source) source.value = step.input === 'start' ? 'start' : 'previous';
      summarise(document, info);
      const own = ['name', 'function', 'grouping', 'input'].map((part) => problemAt(context.problems, `steps.${at}.${part}`));
      own.push(problemOf(context.problems, `steps.${at}`));
      showProblem(name, error, own.filter(Boolean).join(' '));
      const wrong = problemAt(context.problems, `steps.${at}`) !== '' || card.querySelector('[aria-invalid]') !== null;
      card.classList.toggle('oh-wrong', wrong);
    },
  };
}

function aboutOf(step: Step, info: FunctionInfo | undefined, context: CardContext): (Node | string)[] {
  if (!info) {
    const code = make('code', {}, step.function);
    return context.functionsKnown ? [code, ' is not in the catalogue'] : [code];
  }
  const takes = info.inputs.filter((entry) => entry !== 'image').map(words);
  const gives = info.outputs.filter((entry) => entry !== 'image').map(words);
  // Names repeat nothing: a step that still has its function's title is told by the library only.
  const source = step.name === info.title ? info.library : `${info.title} · ${info.library}`;
  const needs = takes.length > 0 ? ` · needs ${takes.join(', ').toLowerCase()}` : '';
  const makes = gives.length > 0 ? ` · gives ${gives.join(', ').toLowerCase()}` : '';
  const parts: (Node | string)[] = [source + needs + makes];
  if (!info.offered) parts.push(make('strong', { class: 'oh-not-offered' }, `Not offered: ${info.reason}`));
  return parts;
}
