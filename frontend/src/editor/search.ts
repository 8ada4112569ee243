// SPDX-License-Identifier: AGPL-3.0-or-later
/** Searching the catalogue: every word must be found; a hit in the title counts most, one in the help least. */

import type { FunctionInfo } from '../shared/contracts';
import { words } from './document';

export interface Category {
  name: string;
  functions: FunctionInfo[];
}

/** The functions that fit `query`, by category; without a query all, in the catalogue's order. */
export function searchCatalogue(functions: readonly FunctionInfo[], query: string, includeUnavailable: boolean): Category[] {
  const asked = normal(query).split(/\s+/).filter(Boolean);
  const candidates = functions.filter((info) => info.offered || includeUnavailable);
  const scored = candidates
    .map((info) => ({ info, score: scoreOf(info, asked) + closeness(info, asked.join(' ')) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score);
  const found = new Map<string, FunctionInfo[]>();
  for (const { info } of scored) {
    const name = words(info.category || 'other');
    found.set(name, [...(found.get(name) ?? []), info]);
  }
  return [...found].map(([name, members]) => ({ name, functions: members }));
}

const WEIGHTS: readonly [weight: number, text: (info: FunctionInfo) => string][] = [
  [10, (info) => info.title],
  [6, (info) => info.id.replaceAll(/[_:.]/g, ' ')],
  [4, (info) => info.category.replaceAll('_', ' ')],
  [3, (info) => info.library],
  [2, (info) => [...info.inputs, ...info.outputs].join(' ')],
  [2, (info) => info.help],
  [1, (info) => info.parameters.map((parameter) => `${parameter.title} ${parameter.name.replaceAll('_', ' ')}`).join(' ')],
];

/** 0 when a word is nowhere; without words every function counts the same. */
function scoreOf(info: FunctionInfo, asked: readonly string[]): number {
  let sum = asked.length === 0 ? 1 : 0;
  for (const word of asked) {
    const best = Math.max(...WEIGHTS.map(([weight, text]) => weight * fit(normal(text(info)), word)));
    if (best === 0) return 0;
    sum += best;
  }
  return sum;
}

/** What is called exactly so comes first, then what begins so; nothing where a word was not found. */
function closeness(info: FunctionInfo, query: string): number {
  const title = normal(info.title);
  if (query === '') return 0;
  return title === query ? 40 : title.startsWith(query) ? 20 : 0;
}

/** 2 where a word begins with it, 1 where it is inside a word. */
function fit(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at < 0) return 0;
  return text.startsWith(word) || text.includes(` ${word}`) ? 2 : 1;
}

function normal(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .toLowerCase();
}
