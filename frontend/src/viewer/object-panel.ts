// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Joins the objects in the images, their measurements and the rest of the page: choosing one here chooses it everywhere.
 *
 * Measurements are read when labels of an execution are on show; the images do not wait for them.
 */

import { type Api, isAbort } from '../shared/api';
import { announceObject, onObjectSelected } from '../shared/object-selection';
import { createHoverCard } from './hover-card';
import { findObject, type LabelChoice } from './labels';
import { createObjectTable } from './object-table';
import { fetchObjects, type ObjectTable } from './objects';
import type { Stage } from './stage';
import { planeOf, type Store } from './store';

export interface ObjectPanelOptions {
  area: HTMLElement;
  stage: Stage;
  store: Store;
  imageId: number | null;
  api: Api | undefined;
  well: string | undefined;
  field: number | undefined;
  onError: (error: unknown) => void;
}

export interface ObjectPanel {
  readonly table: HTMLElement;
  readonly card: HTMLElement;
  /** Read the measurements of what is on show now. */
  load(choice: LabelChoice): void;
  /** Show what is measured of the object at a place of the drawing area. */
  hover(id: number | null, at: { x: number; y: number } | null): void;
  /** Choose an object; `centre` moves the images so that it is in their middle. */
  choose(id: number | null, centre: boolean): void;
  destroy(): void;
}

/** An object that is centred is shown at least this large: an image pixel takes 2 ** zoom screen pixels. */
const CLOSE = 0;

export function createObjectPanel(options: ObjectPanelOptions): ObjectPanel {
  const { stage, store, imageId } = options;
  const card = createHoverCard(options.area);
  let objects: ObjectTable | null = null;
  let reading = new AbortController();

  const table = createObjectTable((id) => panel.choose(id, true));
  const panel: ObjectPanel = {
    table: table.element,
    card: card.element,
    load(choice) {
      reading.abort();
      reading = new AbortController();
      objects = null;
      card.setTable(null);
      const { api, well, field } = options;
      if (!api || !well || !field || !choice.execution) return;
      table.say('Reading the measurements…');
      fetchObjects({ api, execution: choice.execution, well, field, labelName: choice.name }, reading.signal).then(
        (found) => {
          objects = found;
          card.setTable(found);
          table.show(found, choice.name);
          table.select(store.state.selected);
        },
        (error: unknown) => {
          if (!isAbort(error)) table.say(error instanceof Error ? error.message : String(error));
        },
      );
    },
    hover: (id, at) => card.show(id, at),
    choose(id, centre) {
      select(id);
      if (centre && id !== null) void bringToMiddle(id).catch(options.onError);
      if (imageId !== null) announceObject({ image_id: imageId, label_name: store.state.labelName, object_id: id }, panel);
    },
    destroy() {
      reading.abort();
      stopListening();
    },
  };

  function select(id: number | null): void {
    if (store.state.selected !== id) store.update({ selected: id });
  }

  async function bringToMiddle(id: number): Promise<void> {
    const { labels } = store.state;
    const place = objects?.centreOf(id) ?? (labels && (await findObject(labels, id, planeOf(store.state))));
    if (place) stage.setSight({ target: [place.x, place.y], zoom: Math.max(stage.sight.zoom, CLOSE) });
  }

  store.subscribe((state, before) => {
    if (state.selected !== before.selected) table.select(state.selected);
  });
  const stopListening = onObjectSelected(({ image_id, label_name, object_id }) => {
    if (image_id !== imageId || label_name !== store.state.labelName) return;
    select(object_id);
    if (object_id !== null) void bringToMiddle(object_id).catch(options.onError);
  }, panel);
  return panel;
}
