// SPDX-License-Identifier: AGPL-3.0-or-later
/** Keyboard and pointer on a plate map: a roving tab stop, and the gestures that choose wells. */

import type { Drawing } from './drawing';
import { type Block, blockBetween, drawingSize, type Place, placeAt } from './geometry';
import type { Change, Selection, SelectionMode } from './selection';

export interface InputOptions {
  rows: number;
  columns: number;
  mode: SelectionMode;
  selection: Selection;
  onChange: (changed: string[]) => void;
  onOpen: (place: Place) => void;
}

export interface Input {
  focus(place: Place): void;
  detach(): void;
}

/** Pixels that a press must move before it is a drag and not a click. */
const DRAG_THRESHOLD = 4;

interface Drag {
  pointer: number;
  start: { x: number; y: number };
  screen: { x: number; y: number };
  base: ReadonlySet<string>;
  change: Change;
  moved: boolean;
}

export function attachInput(drawing: Drawing, options: InputOptions): Input {
  const { rows, columns, mode, selection } = options;
  const { svg } = drawing;
  let current: Place = { row: 0, column: 0 };
  let drag: Drag | null = null;
  let ignoreClick = false;
  drawing.cell(current)?.setAttribute('tabindex', '0');

  function moveTo(place: Place, focus: boolean): void {
    const next = drawing.cell(place);
    if (!next) return;
    drawing.cell(current)?.setAttribute('tabindex', '-1');
    current = place;
    next.setAttribute('tabindex', '0');
    if (focus) next.focus({ preventScroll: false });
  }

  /** The wells that a place stands for: a header for its row or column, the corner for all. */
  function blockOf(place: Place): Block {
    return {
      top: Math.max(0, place.row),
      bottom: place.row < 0 ? rows - 1 : place.row,
      left: Math.max(0, place.column),
      right: place.column < 0 ? columns - 1 : place.column,
    };
  }

  function choose(place: Place, change: Change): void {
    selection.anchor = place;
    options.onChange(selection.apply(blockOf(place), change));
  }

  /** Choose everything between the anchor and `place`; a header at either end makes it whole rows or columns. */
  function chooseRange(place: Place, change: Change): void {
    const from = blockOf(selection.anchor ?? place);
    const to = blockOf(place);
    const block = blockBetween(
      { row: Math.min(from.top, to.top), column: Math.min(from.left, to.left) },
      { row: Math.max(from.bottom, to.bottom), column: Math.max(from.right, to.right) },
    );
    options.onChange(selection.apply(block, change));
  }

  function step(key: string, whole: boolean): Place | null {
    const { row, column } = current;
    switch (key) {
      case 'ArrowUp':
        return { row: Math.max(-1, row - 1), column };
      case 'ArrowDown':
        return { row: Math.min(rows - 1, row + 1), column };
      case 'ArrowLeft':
        return { row, column: Math.max(-1, column - 1) };
      case 'ArrowRight':
        return { row, column: Math.min(columns - 1, column + 1) };
      case 'Home':
        return { row: whole ? 0 : row, column: 0 };
      case 'End':
        return { row: whole ? rows - 1 : row, column: columns - 1 };
      case 'PageUp':
        return { row: 0, column };
      case 'PageDown':
        return { row: rows - 1, column };
      default:
        return null;
    }
  }

  function onKey(event: KeyboardEvent): void {
    const command = event.ctrlKey || event.metaKey;
    const target = step(event.key, command);
    if (target) {
      if (event.shiftKey && selection.anchor === null) selection.anchor = current;
      moveTo(target, true);
      if (event.shiftKey && mode === 'multiple') chooseRange(target, 'replace');
    } else if (event.key === ' ') {
      if (event.shiftKey && mode === 'multiple') chooseRange(current, 'add');
      else choose(current, 'toggle');
    } else if (event.key === 'Enter') {
      options.onOpen(current);
    } else if (event.key === 'Escape') {
      options.onChange(selection.set([]));
    } else if (event.key.toLowerCase() === 'a' && command && mode === 'multiple') {
      choose({ row: -1, column: -1 }, 'replace');
    } else {
      return;
    }
    event.preventDefault();
  }

  function pointOf(event: PointerEvent): { x: number; y: number } {
    const box = svg.getBoundingClientRect();
    const scale = drawingSize(rows, columns).width / (box.width || 1);
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  function onDown(event: PointerEvent): void {
    // A finger scrolls the page; it chooses by tapping.
    if (event.button !== 0 || event.pointerType === 'touch' || mode !== 'multiple') return;
    drag = {
      pointer: event.pointerId,
      start: pointOf(event),
      screen: { x: event.clientX, y: event.clientY },
      base: new Set(selection.wells),
      change: event.ctrlKey || event.metaKey || event.shiftKey ? 'add' : 'replace',
      moved: false,
    };
  }

  function onMove(event: PointerEvent): void {
    if (!drag || event.pointerId !== drag.pointer) return;
    const far = Math.hypot(event.clientX - drag.screen.x, event.clientY - drag.screen.y) >= DRAG_THRESHOLD;
    if (!drag.moved && !far) return;
    if (!drag.moved) svg.setPointerCapture?.(event.pointerId);
    drag.moved = true;
    const { start } = drag;
    const now = pointOf(event);
    drawing.showBand({
      x: Math.min(start.x, now.x),
      y: Math.min(start.y, now.y),
      width: Math.abs(now.x - start.x),
      height: Math.abs(now.y - start.y),
    });
    const block = blockBetween(placeAt(start.x, start.y, rows, columns), placeAt(now.x, now.y, rows, columns));
    const inside = { ...block, top: Math.max(0, block.top), left: Math.max(0, block.left) };
    options.onChange(selection.apply(inside, drag.change, drag.base));
  }

  function onUp(event: PointerEvent): void {
    if (!drag || event.pointerId !== drag.pointer) return;
    drawing.showBand(null);
    if (drag.moved) {
      const place = placeAt(drag.start.x, drag.start.y, rows, columns);
      selection.anchor = place;
      moveTo(place, false);
      // The click that the browser sends right after a drag is not a choice of its own.
      ignoreClick = true;
      setTimeout(() => {
        ignoreClick = false;
      }, 0);
    }
    drag = null;
  }

  function onClick(event: MouseEvent): void {
    const place = drawing.placeOf(event.target);
    if (!place || ignoreClick) return;
    moveTo(place, true);
    if (mode === 'none') options.onOpen(place);
    else if (event.shiftKey && mode === 'multiple') chooseRange(place, event.ctrlKey || event.metaKey ? 'add' : 'replace');
    else choose(place, event.ctrlKey || event.metaKey ? 'toggle' : 'replace');
  }

  function onDoubleClick(event: MouseEvent): void {
    const place = drawing.placeOf(event.target);
    if (place && mode !== 'none') options.onOpen(place);
  }

  const controller = new AbortController();
  const { signal } = controller;
  svg.addEventListener('keydown', onKey, { signal });
  svg.addEventListener('click', onClick, { signal });
  svg.addEventListener('dblclick', onDoubleClick, { signal });
  svg.addEventListener('pointerdown', onDown, { signal });
  svg.addEventListener('pointermove', onMove, { signal });
  svg.addEventListener('pointerup', onUp, { signal });
  svg.addEventListener('pointercancel', onUp, { signal });
  return { focus: (place) => moveTo(place, true), detach: () => controller.abort() };
}
