// SPDX-License-Identifier: AGPL-3.0-or-later
/** The document as text: CodeMirror, in step with the forms both ways. */

import { defaultKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import {
  HighlightStyle,
  bracketMatching,
  ensureSyntaxTree,
  foldGutter,
  foldKeymap,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { Annotation, EditorState, Text } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

import type { Problems } from './problems';
import { writeText } from './document';
import { type TextMistake, lineOf, readText } from './json-text';
import { rangeOfPath } from './json-path';
import type { Origin, Store } from './store';

export interface JsonView {
  /** What is wrong with the text, in words; empty while the forms show what the text says. */
  readonly mistake: string;
  update(origin: Origin | null, problems: Problems): void;
  /** Write the document again over a text that could not be read. */
  discard(): void;
  focus(): void;
}

/** Marks changes that came from the forms. */
const fromForms = Annotation.define<boolean>();
const READ_AFTER = 250;

export interface JsonViewOptions {
  host: HTMLElement;
  store: Store;
  /** The id of a saved pipeline, which does not change. */
  fixedId: string | null;
  onMistake(told: string): void;
}

export function createJsonView({ host, store, fixedId, onMistake }: JsonViewOptions): JsonView {
  let mistake: TextMistake | null = null;
  let told = '';
  let problems: Problems = {};
  let timer = 0;

  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: writeText(store.document),
      extensions: [
        lineNumbers(),
        foldGutter(),
        lintGutter(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        json(),
        syntaxHighlighting(COLOURS),
        THEME,
        EditorView.lineWrapping,
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': 'The pipeline as JSON', spellcheck: 'false' }),
        // Undo belongs to the whole page, so that the text and the forms have one order of what was done.
        keymap.of([
          { key: 'Mod-z', preventDefault: true, run: () => undo() },
          { key: 'Mod-Shift-z', preventDefault: true, run: () => redo() },
          { key: 'Mod-y', preventDefault: true, run: () => redo() },
          // Tab leaves the text, as it leaves every other field.
          ...defaultKeymap,
          ...foldKeymap,
          ...lintKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged || update.transactions.some((entry) => entry.annotation(fromForms))) return;
          clearTimeout(timer);
          timer = window.setTimeout(read, READ_AFTER);
        }),
      ],
    }),
  });

  function undo(): boolean {
    flush();
    if (mistake) discard();
    else store.undo();
    return true;
  }

  function redo(): boolean {
    flush();
    if (!mistake) store.redo();
    return true;
  }

  /** Read what was typed a moment ago at once. */
  function flush(): void {
    if (timer) read();
  }

  function read(): void {
    clearTimeout(timer);
    timer = 0;
    const text = view.state.doc.toString();
    const reading = readText(text);
    if ('mistake' in reading) {
      tell(reading.mistake);
      return;
    }
    if (fixedId !== null && reading.document.id !== fixedId) {
      const message = `The id of a saved pipeline stays ${fixedId}. A copy gets its own.`;
      tell({ message, offset: null, path: 'id' });
      return;
    }
    tell(null);
    store.read(reading.document);
  }

  function tell(found: TextMistake | null): void {
    mistake = found;
    const before = told;
    if (!found) told = '';
    else {
      const text = view.state.doc.toString();
      const offset = found.offset ?? rangeOfPath(view.state, found.path)?.from ?? 0;
      const { line, column } = lineOf(text, offset);
      told = `Line ${line}, column ${column}: ${found.message}`;
    }
    mark();
    if (told !== before) onMistake(told);
  }

  function mark(): void {
    const { doc } = view.state;
    const diagnostics: Diagnostic[] = [];
    if (mistake) {
      const range = mistake.offset === null ? rangeOfPath(view.state, mistake.path) : null;
      const from = Math.min(mistake.offset ?? range?.from ?? 0, Math.max(0, doc.length - 1));
      diagnostics.push({ from, to: Math.min(range?.to ?? from + 1, doc.length), severity: 'error', message: mistake.message });
    } else {
      for (const [path, message] of Object.entries(problems)) {
        const range = rangeOfPath(view.state, path);
        if (range) diagnostics.push({ ...range, severity: 'error', message });
      }
      diagnostics.sort((one, other) => one.from - other.from);
    }
    view.dispatch(setDiagnostics(view.state, diagnostics));
  }

  /** Replace only what differs, so that the cursor and what is folded stay. */
  function write(text: string): void {
    const before = view.state.doc.toString();
    if (before === text) return;
    let start = 0;
    while (start < before.length && start < text.length && before[start] === text[start]) start += 1;
    let end = 0;
    const most = Math.min(before.length, text.length) - start;
    while (end < most && before[before.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    view.dispatch({
      changes: { from: start, to: before.length - end, insert: Text.of(text.slice(start, text.length - end).split('\n')) },
      annotations: fromForms.of(true),
    });
  }

  function discard(): void {
    clearTimeout(timer);
    timer = 0;
    write(writeText(store.document));
    tell(null);
  }

  return {
    get mistake() {
      flush();
      return told;
    },
    update(origin, found) {
      problems = found;
      // A text that cannot be read stays until it is corrected or discarded.
      if (origin !== null && origin !== 'text' && !mistake) write(writeText(store.document));
      ensureSyntaxTree(view.state, view.state.doc.length, 200);
      mark();
    },
    discard,
    focus() {
      view.focus();
      if (!mistake) return;
      const from = mistake.offset ?? rangeOfPath(view.state, mistake.path)?.from ?? 0;
      view.dispatch({ selection: { anchor: Math.min(from, view.state.doc.length) }, scrollIntoView: true });
    },
  };
}

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: '#124a75' },
  { tag: tags.string, color: '#00613f' },
  { tag: tags.number, color: '#8a3400' },
  { tag: [tags.bool, tags.null], color: '#6b3fa0' },
  { tag: tags.punctuation, color: '#55616d' },
]);

const THEME = EditorView.theme({
  '&': { fontSize: '12.5px', backgroundColor: 'var(--oh-surface)', height: '100%' },
  '.cm-content': { fontFamily: 'var(--oh-mono)', paddingBottom: '12px' },
  '.cm-gutters': { backgroundColor: 'var(--oh-surface-soft)', color: '#5d6974', border: '0' },
  '.cm-activeLine': { backgroundColor: '#f2f7fb80' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--oh-mono)', lineHeight: '1.55' },
});
