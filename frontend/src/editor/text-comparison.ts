// SPDX-License-Identifier: AGPL-3.0-or-later
/** Two texts, line by line: removed lines above what came for them, long equal parts folded. */

import { json } from '@codemirror/lang-json';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';

export function showTexts(host: HTMLElement, before: string, after: string): EditorView {
  return new EditorView({
    parent: host,
    doc: after,
    extensions: [
      json(),
      lineNumbers(),
      EditorView.lineWrapping,
      EditorState.readOnly.of(true),
      EditorView.contentAttributes.of({
        tabindex: '0',
        'aria-label': 'The newer text, with what it replaced',
        'aria-readonly': 'true',
      }),
      unifiedMergeView({ original: before, mergeControls: false, gutter: true, collapseUnchanged: { margin: 2, minSize: 6 } }),
      EditorView.theme({ '&': { fontSize: '12.5px', maxHeight: '420px' }, '.cm-scroller': { fontFamily: 'var(--oh-mono)' } }),
    ],
  });
}
