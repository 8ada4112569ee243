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
  let mounted: { key: string; viewer: Promise<Viewer> } | null = null;

  function unmount(): void {
    void mounted?.viewer.then((viewer) => viewer.destroy());
    mounted = null;
  }

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
      title: `${page.execution.plate_name} ${well} field ${field}`,
    });
  }

  function update(): void {
    const key = wanted ? `${wanted.well}/${wanted.field}` : '';
    if (!wanted || !details.open || mounted?.key === key) return;
    unmount();
    mounted = { key, viewer: mount(wanted.well, wanted.field) };
    mounted.viewer.catch((error: unknown) => {
      host.replaceChildren(make('p', { class: 'oh-hint', role: 'alert' }, `The viewer could not be loaded: ${String(error)}`));
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
        unmount();
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
