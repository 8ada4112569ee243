// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Dragging a step to another place, with mouse, pen or finger.
 *
 * While a step is dragged all cards are folded to their heads, so that a long pipeline is short; the others make room. Escape
 * puts the step back.
 */

export interface DragOptions {
  list: HTMLElement;
  /** What scrolls when the pointer comes close to its edge. */
  scroller: HTMLElement;
  /** The items in the order in which they stand. */
  items(): HTMLElement[];
  onDrop(from: number, to: number): void;
}

const THRESHOLD = 4;
const EDGE = 60;

/** Let `item` be dragged by `handle`. */
export function makeDraggable(item: HTMLElement, handle: HTMLElement, options: DragOptions): void {
  handle.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    startDrag(event, item, handle, options);
  });
}

function startDrag(
  start: PointerEvent,
  item: HTMLElement,
  handle: HTMLElement,
  { list, scroller, items, onDrop }: DragOptions,
): void {
  const all = items();
  const from = all.indexOf(item);
  let to = from;
  let centres: number[] = [];
  let height = 0;
  let grabbed = 0;
  let dragging = false;
  let pointer = start.clientY;
  let frame = 0;

  /** The item's offset within the list, whatever is scrolled or moved. */
  const topOf = (element: HTMLElement) => element.getBoundingClientRect().top - list.getBoundingClientRect().top;

  function begin(): void {
    dragging = true;
    list.classList.add('oh-sorting');
    item.classList.add('oh-dragged');
    // Folding the cards moved them: the dragged one is brought back under the pointer by scrolling, as far as that goes.
    scroller.scrollTop += handle.getBoundingClientRect().top + handle.offsetHeight / 2 - start.clientY;
    height = item.offsetHeight;
    grabbed = handle.getBoundingClientRect().top + handle.offsetHeight / 2 - item.getBoundingClientRect().top;
    centres = all.map((element) => topOf(element) + element.offsetHeight / 2);
    frame = requestAnimationFrame(scrollAtEdges);
  }

  function place(): void {
    const top = pointer - grabbed - list.getBoundingClientRect().top;
    const own = centres[from] ?? 0;
    const offset = top + height / 2 - own;
    const centre = own + offset;
    to = all.reduce((count, _, index) => {
      if (index === from) return count;
      const other = centres[index] ?? 0;
      // An item is passed when the middle of the dragged one has passed the near half of it.
      const passed = index < from ? centre > other + 1 : centre > other - 1;
      return passed ? count + 1 : count;
    }, 0);
    item.style.transform = `translateY(${offset}px)`;
    all.forEach((element, index) => {
      if (index === from) return;
      const shift = from < index && index <= to ? -height : to <= index && index < from ? height : 0;
      element.style.transform = shift ? `translateY(${shift}px)` : '';
    });
  }

  function scrollAtEdges(): void {
    const { top, bottom } = scroller.getBoundingClientRect();
    const by = pointer < top + EDGE ? -8 : pointer > bottom - EDGE ? 8 : 0;
    if (by !== 0) {
      scroller.scrollTop += by;
      place();
    }
    frame = requestAnimationFrame(scrollAtEdges);
  }

  function move(event: PointerEvent): void {
    if (event.pointerId !== start.pointerId) return;
    pointer = event.clientY;
    if (!dragging && Math.abs(pointer - start.clientY) < THRESHOLD) return;
    if (!dragging) begin();
    place();
  }

  function end(drop: boolean): void {
    cancelAnimationFrame(frame);
    handle.removeEventListener('pointermove', move);
    handle.removeEventListener('pointerup', up);
    handle.removeEventListener('pointercancel', cancel);
    document.removeEventListener('keydown', escape, true);
    list.classList.remove('oh-sorting');
    item.classList.remove('oh-dragged');
    for (const element of all) element.style.transform = '';
    if (drop && dragging && to !== from) onDrop(from, to);
    if (dragging) item.scrollIntoView({ block: 'nearest' });
  }

  const up = (event: PointerEvent) => event.pointerId === start.pointerId && end(true);
  const cancel = () => end(false);
  const escape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    end(false);
  };
  // A synthetic pointer (of a test, for example) cannot be captured.
  try {
    handle.setPointerCapture(start.pointerId);
  } catch {
    /* the events still come while the pointer is over the handle */
  }
  handle.addEventListener('pointermove', move);
  handle.addEventListener('pointerup', up);
  handle.addEventListener('pointercancel', cancel);
  document.addEventListener('keydown', escape, true);
}
