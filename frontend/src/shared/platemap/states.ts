// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * How a well's state looks: a colour of the Okabe-Ito palette (told apart with every common colour blindness), a sign drawn
 * in black or white on top of it (told apart without any colour) and a word (for screen readers).
 */

import type { WellState } from '../contracts';

export interface StateLook {
  /** The word, as it follows a well's name: "B03, running". */
  word: string;
  fill: string;
  /** The colour of the sign; its contrast to `fill` is at least 4.5:1. */
  ink: string;
  /** An SVG path in a square from -5 to 5, drawn as a stroke; empty for no sign. */
  sign: string;
}

const BLACK = '#1a1a1a';
const WHITE = '#ffffff';

export const STATE_LOOKS: Readonly<Record<WellState, StateLook>> = {
  waiting: { word: 'waiting', fill: '#d4d8dc', ink: BLACK, sign: 'M-3 0H-2.4M-.3 0H.3M2.4 0H3' },
  staging: { word: 'reading images', fill: '#56b4e9', ink: BLACK, sign: 'M0 -4V3M-3 0L0 3L3 0' },
  running: { word: 'running', fill: '#005b8f', ink: WHITE, sign: 'M-2.5 -3.5L3.5 0L-2.5 3.5Z' },
  saving: { word: 'saving', fill: '#cc79a7', ink: BLACK, sign: 'M0 4V-3M-3 0L0 -3L3 0' },
  done: { word: 'done', fill: '#009e73', ink: BLACK, sign: 'M-4 0L-1 3L4 -3' },
  failed: { word: 'failed', fill: '#d55e00', ink: BLACK, sign: 'M-3 -3L3 3M3 -3L-3 3' },
  skipped: { word: 'skipped', fill: '#f0e442', ink: BLACK, sign: 'M-3.5 0H3.5' },
};

export const STATES = Object.keys(STATE_LOOKS) as WellState[];
