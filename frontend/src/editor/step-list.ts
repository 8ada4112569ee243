// SPDX-License-Identifier: AGPL-3.0-or-later
/** The list of step cards: keeps a card with its step through every edit, and the focus with what had it. */

import type { FunctionInfo } from '../shared/contracts';
import { make } from '../shared/dom';
import { type Card, type CardActions, type CardContext, createCard } from './card';
import { makeDraggable } from './drag';
import { objectsBefore } from './document';
import { addStep, duplicateStep, moveStep, removeStep } from './edits';
import type { Store } from './store';

export interface StepList {
  update(context: CardContext): void;
  /** Put a step with this function at place `at` and go to it. */
  insert(at: number, info: FunctionInfo): void;
  /** Unfold the card that holds `element`. */
  reveal(element: Element): void;
}

export interface StepListOptions {
  host: HTMLElement;
  scroller: HTMLElement;
  store: Store;
  /** Ask for a function to put at place `at`. */
  choose(at: number): void;
  announce(text: string): void;
}

/** Up to this many steps are shown unfolded when the page opens. */
const OPEN_AT_FIRST = 3;

export function createStepList({ host, scroller, store, choose, announce }: StepListOptions): StepList {
  const cards = new Map<number, Card>();
  const list = make('ol', { class: 'oh-steps-edited', id: 'oh-steps' });
  host.replaceChildren(list);
  let context: CardContext = { functions: new Map(), functionsKnown: false, channels: null, problems: {} };
  let openNew = store.document.steps.length <= OPEN_AT_FIRST;

  const nameAt = (at: number) => store.document.steps[at]?.name || 'Step';
  const placeOf = (key: number) => store.keys.indexOf(key);

  function move(from: number, to: number): void {
    if (to < 0 || to >= store.keys.length) {
      announce(`${nameAt(from)} is already ${to < 0 ? 'first' : 'last'}.`);
      return;
    }
    const keys = store.keys.filter((_, index) => index !== from);
    keys.splice(to, 0, store.keys[from] as number);
    store.arrange(moveStep(store.document, from, to), keys);
    announce(`${nameAt(to)} is now step ${to + 1} of ${store.keys.length}.`);
  }

  const actions: CardActions = {
    move: (key, by) => move(placeOf(key), placeOf(key) + by),
    duplicate(key) {
      const at = placeOf(key);
      const info = context.functions.get(store.document.steps[at]?.function ?? '');
      arrangeNew(at + 1, duplicateStep(store.document, at, info));
      announce(`${nameAt(at + 1)} was added as step ${at + 2}.`);
    },
    remove(key) {
      const at = placeOf(key);
      const name = nameAt(at);
      store.arrange(
        removeStep(store.document, at),
        store.keys.filter((_, index) => index !== at),
      );
      announce(`${name} was removed. Press Ctrl+Z to bring it back.`);
      const next = cards.get(store.keys[Math.min(at, store.keys.length - 1)] ?? 0);
      if (next) next.focus();
      else document.getElementById('oh-add-step')?.focus();
    },
    insertAfter: (key) => choose(placeOf(key) + 1),
  };

  function arrangeNew(at: number, document: typeof store.document): void {
    openNew = true;
    store.arrange(document, [...store.keys.slice(0, at), null, ...store.keys.slice(at)]);
    const card = cards.get(store.keys[at] ?? 0);
    card?.open();
    card?.focus();
    card?.element.scrollIntoView({ block: 'nearest' });
  }

  function cardOf(key: number): Card {
    const known = cards.get(key);
    if (known) return known;
    const card = createCard(key, store, actions, openNew);
    makeDraggable(card.element, card.handle, {
      list,
      scroller,
      items: () => [...list.children] as HTMLElement[],
      onDrop: move,
    });
    cards.set(key, card);
    return card;
  }

  return {
    update(given) {
      context = given;
      const focused = document.activeElement;
      const wanted = store.keys.map((key) => cardOf(key).element);
      for (const [key, card] of cards) {
        if (store.keys.includes(key)) continue;
        card.element.remove();
        cards.delete(key);
      }
      wanted.forEach((element, index) => {
        if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
      });
      // Moving an element within the page takes the focus away from what is in it.
      if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
        focused.focus({ preventScroll: true });
        focused.closest('.oh-step')?.scrollIntoView({ block: 'nearest' });
      }
      store.keys.forEach((key, at) => cardOf(key).update(store.document, at, context));
    },
    insert(at, info) {
      arrangeNew(at, addStep(store.document, at, info, objectsBefore(store.document, at, context.functions)));
      announce(`${nameAt(at)} was added as step ${at + 1}.`);
    },
    reveal(element) {
      for (const card of cards.values()) if (card.element.contains(element)) card.open();
      const details = element.closest('details');
      if (details) details.open = true;
    },
  };
}
