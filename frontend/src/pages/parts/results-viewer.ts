// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The viewer within the results page: it is unfolded once and then follows the well that is chosen on the plate.
 *
 * Its script is large, so it is loaded when somebody unfolds it.
 */

import type { Api } from '../../shared/api';
import type { WellExecution } from '../../shared/contracts';
import { byId, make } from '../../shared/dom';
import type { Viewer } from '../../viewer/mount';
import type { ResultsPageData } from './documents';

export interface ResultsViewer {
  /** Show the first field of a well; a well without images or results folds it away. */
  show(well: WellExecution | undefined): void;
}

export function createResultsViewer(page: ResultsPageData, api: Api): ResultsViewer {
  const section = byId('oh-viewer-section');
  const details = byId<HTMLDetailsElement>('oh-viewer-details');
  const title = byId('oh-viewer-title');
  const fields = byId('oh-viewer-fields');
  const host = byId('oh-viewer');
  let wanted: { well: string; field: number } | null = null;
  let shown = '';
  /** One after the other: a viewer that is still opening must not be left in the place of the next. */
  let queue: Promise<Viewer | null> = Promise.resolve(null);

  async function mount(well: string, field: number): Promise<Viewer> {
    const { mountViewer } = await import('../../viewer/mount');
    const image = page.images[well]?.[field - 1] ?? 0;
    return mountViewer(host, {
      zarr: `${page.zarr}image/${image}.zarr/`,
      execution: page.execution.execution_id,
      api,
      well,
      field,
      imageId: image,
      page: `${page.viewer}${image}/?execution=${page.execution.execution_id}`,
      title: `${page.execution.plate_name} ${well} field ${field}`,
    });
  }

  function update(): void {
    const now = details.open ? wanted : null;
    const key = now ? `${now.well}/${now.field}` : '';
    if (key === shown) return;
    shown = key;
    queue = queue.then(async (before) => {
      before?.destroy();
      // Somebody who went on meanwhile does not wait for this one.
      if (!now || key !== shown) return null;
      try {
        return await mount(now.well, now.field);
      } catch (error) {
        const text = `The viewer could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
        host.replaceChildren(make('p', { class: 'oh-hint', role: 'alert' }, text));
        return null;
      }
    });
  }

  function offerFields(well: string, count: number): void {
    const chooser = make('select', { class: 'oh-input', 'aria-label': 'Field in the viewer' });
    for (let field = 1; field <= count; field += 1) chooser.append(make('option', { value: field }, `field ${field}`));
    chooser.addEventListener('change', () => {
      wanted = { well, field: Number(chooser.value) };
      update();
    });
    fields.replaceChildren(count > 1 ? chooser : '');
  }

  details.addEventListener('toggle', update);
  return {
    show(well) {
      const images = well && (well.state === 'done' || well.state === 'saving') ? (page.images[well.well] ?? []) : [];
      section.hidden = images.length === 0;
      if (!well || images.length === 0) {
        wanted = null;
        update();
        return;
      }
      if (wanted?.well === well.well) return;
      wanted = { well: well.well, field: 1 };
      title.textContent = `Images of well ${well.well}`;
      offerFields(well.well, images.length);
      update();
    },
  };
}
