// SPDX-License-Identifier: AGPL-3.0-or-later
/** Menus that are `<details>`: one is open at a time, and Escape or a click elsewhere closes it. */

const OPEN = 'details[data-oh-menu][open]';

export function attachMenus(page: Document = document): void {
  page.addEventListener('click', (event) => {
    const inside = (event.target as Element).closest('details[data-oh-menu]');
    const chosen = (event.target as Element).closest('[data-oh-menu] :is(button, a)');
    for (const menu of page.querySelectorAll<HTMLDetailsElement>(OPEN)) if (menu !== inside || chosen) menu.open = false;
  });
  page.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    const menu = (event.target as Element).closest<HTMLDetailsElement>(OPEN);
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
}
