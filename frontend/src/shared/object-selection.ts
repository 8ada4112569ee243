// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * How parts of a page that show objects (the viewer, tables, charts) tell each other which one is chosen.
 *
 * Whoever lets somebody choose an object calls {@link announceObject}; whoever shows objects listens with
 * {@link onObjectSelected}. Both work on the document, so that neither needs to know the other.
 */

export const OBJECT_SELECTED = 'openhcs:object-selected';

export interface ObjectSelection {
  /** The image (field) that the object is in. */
  image_id: number;
  /** Of which label image it is, such as `nuclei`. */
  label_name: string;
  /** Its number in the label image, which is `label` in the table of objects; null when nothing is chosen any more. */
  object_id: number | null;
}

/** Tell everybody on the page which object was chosen; `source` is not told, because it knows. */
export function announceObject(selection: ObjectSelection, source?: unknown): void {
  document.dispatchEvent(new CustomEvent(OBJECT_SELECTED, { detail: { ...selection, source } }));
}

/** Call `listener` when another part than `self` announces an object; returns how to stop that. */
export function onObjectSelected(listener: (selection: ObjectSelection) => void, self?: unknown): () => void {
  const heard = (event: Event) => {
    const { source, image_id, label_name, object_id } = (event as CustomEvent<ObjectSelection & { source?: unknown }>).detail;
    if (source === undefined || source !== self) listener({ image_id, label_name, object_id });
  };
  document.addEventListener(OBJECT_SELECTED, heard);
  return () => document.removeEventListener(OBJECT_SELECTED, heard);
}
