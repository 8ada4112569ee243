// SPDX-License-Identifier: AGPL-3.0-or-later
/** Small helpers for the pages' elements. Text goes in as text, never as HTML. */

/** The element with this id. Throws when the template has none, which is a fault of the plugin. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element "${id}"`);
  return element as T;
}

export type Content = Node | string | null | undefined | false;

/** Make an element; attributes that are null, undefined or false are left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number | boolean | null | undefined> = {},
  ...content: Content[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...content.filter((part): part is Node | string => part !== null && part !== undefined && part !== false));
  return element;
}

/** Show `text` in a notice, or hide the notice with an empty text. */
export function showNotice(notice: HTMLElement, text: string): void {
  notice.textContent = text;
  notice.hidden = text === '';
}
