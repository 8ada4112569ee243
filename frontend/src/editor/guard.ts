// SPDX-License-Identifier: AGPL-3.0-or-later
/** Asks before a page with unsaved changes is left: by a link of the page, or by closing or reloading the tab. */

import { confirmed } from '../pages/parts/confirm';

export interface Guard {
  /** Let the next way out of the page pass unasked. */
  release(): void;
}

/** `onLeave` is called when the user chose to leave her changes behind. */
export function guardLeaving(unsaved: () => boolean, onLeave: () => void): Guard {
  let released = false;
  window.addEventListener('beforeunload', (event) => {
    if (released || !unsaved()) return;
    event.preventDefault();
    // Older browsers ask only when this is set.
    event.returnValue = true;
  });
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[href]');
    if (!link || released || !unsaved() || event.defaultPrevented || !leavesPage(event, link)) return;
    event.preventDefault();
    void confirmed(
      'Leave without saving?',
      'Your changes to this pipeline have not been saved and will be lost.',
      'Leave without saving',
      'Stay on this page',
    ).then((leave) => {
      if (!leave) return;
      released = true;
      onLeave();
      location.assign(link.href);
    });
  });
  return { release: () => (released = true) };
}

function leavesPage(event: MouseEvent, link: HTMLAnchorElement): boolean {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  if ((link.target && link.target !== '_self') || link.hasAttribute('download')) return false;
  const [here, there] = [new URL(location.href), new URL(link.href)];
  return (
    there.protocol.startsWith('http') &&
    (there.origin !== here.origin || there.pathname !== here.pathname || there.search !== here.search)
  );
}
