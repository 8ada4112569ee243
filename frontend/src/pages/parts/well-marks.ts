// SPDX-License-Identifier: AGPL-3.0-or-later
/** From roles of wells to the signs of the plate map. */

import type { WellMark } from '../../shared/platemap';
import type { WellContent } from './quality-report';

/** Treatments, which most wells are, have no sign. */
export function marksOf(wells: readonly WellContent[]): Map<string, WellMark> {
  const marks = new Map<string, WellMark>();
  for (const { well, role } of wells) if (role !== 'treatment') marks.set(well, role);
  return marks;
}
