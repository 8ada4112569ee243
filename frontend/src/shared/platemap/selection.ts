// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Which wells are chosen: plain bookkeeping without any drawing.
 *
 * Three ways to apply a block: *replace* what was chosen, *add* to it, or *toggle* it (a block that is chosen altogether is
 * taken out, any other is added). Wells without images cannot be chosen.
 */

import { type Block, type Place, wellName } from './geometry';

export type SelectionMode = 'none' | 'single' | 'multiple';
export type Change = 'replace' | 'add' | 'toggle';

export interface Selection {
  readonly wells: ReadonlySet<string>;
  /** Where a range begins; moves with every change that is not itself the end of a range. */
  anchor: Place | null;
  has(well: string): boolean;
  /** Apply a block; `base` is what was chosen before a drag began. Returns the wells that changed. */
  apply(block: Block, change: Change, base?: ReadonlySet<string>): string[];
  /** Choose exactly these; unknown wells are left out. Returns the wells that changed. */
  set(wells: Iterable<string>): string[];
}

/** `selectable` are the names of the wells that may be chosen. */
export function createSelection(mode: SelectionMode, selectable: ReadonlySet<string>): Selection {
  let chosen = new Set<string>();

  function become(next: Set<string>): string[] {
    const changed = [...next].filter((well) => !chosen.has(well)).concat([...chosen].filter((well) => !next.has(well)));
    chosen = next;
    return changed;
  }

  function wellsIn(block: Block): string[] {
    const wells: string[] = [];
    for (let row = block.top; row <= block.bottom; row += 1) {
      for (let column = block.left; column <= block.right; column += 1) {
        const well = wellName(row, column);
        if (selectable.has(well)) wells.push(well);
      }
    }
    return wells;
  }

  function apply(block: Block, change: Change, base: ReadonlySet<string> = chosen): string[] {
    const wells = wellsIn(block);
    if (mode === 'none' || (mode === 'single' && wells.length !== 1)) return [];
    if (change === 'replace' || mode === 'single') return become(new Set(wells));
    const next = new Set(base);
    const remove = change === 'toggle' && wells.every((well) => base.has(well));
    for (const well of wells) {
      if (remove) next.delete(well);
      else next.add(well);
    }
    return become(next);
  }

  return {
    get wells() {
      return chosen;
    },
    anchor: null,
    has: (well) => chosen.has(well),
    apply,
    set(wells) {
      if (mode === 'none') return [];
      const known = [...wells].filter((well) => selectable.has(well));
      return become(new Set(mode === 'single' ? known.slice(0, 1) : known));
    },
  };
}
