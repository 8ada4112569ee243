// SPDX-License-Identifier: AGPL-3.0-or-later
/** Signs for what a well is for: told apart by their shape, so that they go with every colour underneath. */

export type WellMark = 'positive' | 'negative' | 'empty';

export interface MarkLook {
  /** As it follows a well's name: "A12, positive control". */
  word: string;
  /** An SVG path in a square from -3 to 3, filled white with a dark edge. */
  path: string;
}

export const WELL_MARKS: Readonly<Record<WellMark, MarkLook>> = {
  positive: { word: 'positive control', path: 'M0 -3.4L3.4 2.8H-3.4Z' },
  negative: { word: 'negative control', path: 'M0 3.4L3.4 -2.8H-3.4Z' },
  empty: { word: 'empty', path: 'M-2.8 -2.8H2.8V2.8H-2.8Z' },
};

export const MARKS = Object.keys(WELL_MARKS) as WellMark[];
