// SPDX-License-Identifier: AGPL-3.0-or-later
/** Where a part of the document stands in its text: `steps.0.parameters.sigma` as a range of characters. */

import { syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import type { SyntaxNode } from '@lezer/common';

export interface Range {
  from: number;
  to: number;
}

interface Found {
  range: Range;
  value: SyntaxNode | null;
}

/** The key and value at `path`, or the innermost part of it that is there; null for an empty text. */
export function rangeOfPath(state: EditorState, path: string): Range | null {
  let value: SyntaxNode | null = syntaxTree(state).topNode.firstChild;
  if (!value) return null;
  let range: Range = { from: value.from, to: Math.min(value.to, value.from + 1) };
  for (const part of path === '' ? [] : path.split('.')) {
    const found: Found | null = value ? step(state, value, part) : null;
    if (!found) break;
    range = found.range;
    value = found.value;
  }
  return range;
}

function step(state: EditorState, node: SyntaxNode, part: string): Found | null {
  if (node.name === 'Array') {
    const entries = childrenOf(node).filter((child) => !/^[[\],]$/.test(child.name));
    const entry = entries[Number(part)];
    // The whole of a long entry marked would be a red page: its first character stands for it.
    return entry ? { range: narrow(entry), value: entry } : null;
  }
  for (const property of node.getChildren('Property')) {
    const key = property.getChild('PropertyName');
    if (!key || textOf(state, key) !== part) continue;
    const value = property.lastChild;
    const plain = value && !['Object', 'Array'].includes(value.name);
    return { range: { from: property.from, to: plain ? property.to : key.to }, value };
  }
  return null;
}

function narrow(node: SyntaxNode): Range {
  return ['Object', 'Array'].includes(node.name) ? { from: node.from, to: node.from + 1 } : { from: node.from, to: node.to };
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

function textOf(state: EditorState, key: SyntaxNode): string {
  try {
    return String(JSON.parse(state.sliceDoc(key.from, key.to)));
  } catch {
    return '';
  }
}
