// SPDX-License-Identifier: AGPL-3.0-or-later
/** The choice to compute control wells before the others, and to pause when they are not told apart. */

import type { Api } from '../../shared/api';
import { byId } from '../../shared/dom';
import type { PipelineDocument } from './documents';
import type { PlateControls, WellRole } from './quality-report';

/** What a submission says; null keeps the order of the plate. */
export interface ControlsFirstWish {
  futility: { measurement: string; z_prime_below: number } | null;
}

export interface ControlsFirstChoice {
  /** Another pipeline, or other wells: what is offered follows. */
  changed(pipeline: PipelineDocument | null, wells: readonly string[]): void;
  wish(): ControlsFirstWish | null;
  /** Whether the limit is a number that makes sense; the browser says on the field when it is not. */
  check(): boolean;
}

/** Wells of a role from which a Z'-factor can be had. */
const FEWEST = 2;

/** Take over the controls of the template `controls_first.html`. Without marked wells nothing is offered. */
export async function createControlsFirst(api: Api, plateId: number): Promise<ControlsFirstChoice> {
  const box = byId('oh-controls-first');
  const first = byId<HTMLInputElement>('oh-first');
  const futility = byId<HTMLInputElement>('oh-futility');
  const measurement = byId<HTMLSelectElement>('oh-futility-measurement');
  const below = byId<HTMLInputElement>('oh-futility-below');
  const marked = await markedWells(api, plateId);

  const show = (): void => {
    futility.disabled = !first.checked;
    measurement.disabled = below.disabled = futility.disabled || !futility.checked;
  };
  first.addEventListener('change', show);
  futility.addEventListener('change', show);

  const ruled = (): boolean => first.checked && futility.checked && !byId('oh-futility-row').hidden;

  return {
    changed(pipeline, wells) {
      const positive = common(marked.positive, wells);
      const negative = common(marked.negative, wells);
      box.hidden = positive + negative === 0;
      byId('oh-first-count').textContent = `${positive} positive, ${negative} negative`;
      offer(measurement, pipeline);
      byId('oh-futility-row').hidden = Math.min(positive, negative) < FEWEST || measurement.options.length === 0;
      show();
    },
    check: () => Boolean(box.hidden) || !ruled() || below.reportValidity(),
    wish() {
      if (box.hidden || !first.checked) return null;
      return { futility: ruled() ? { measurement: measurement.value, z_prime_below: Number(below.value) } : null };
    },
  };
}

/** Which wells are controls; none when that cannot be read, as the run does not depend on it. */
async function markedWells(api: Api, plateId: number): Promise<Record<'positive' | 'negative', string[]>> {
  try {
    const { wells } = await api.get<PlateControls>(`plates/${plateId}/controls/`);
    const of = (role: WellRole): string[] => wells.filter((entry) => entry.role === role).map((entry) => entry.well);
    return { positive: of('positive'), negative: of('negative') };
  } catch {
    return { positive: [], negative: [] };
  }
}

function common(marked: readonly string[], wells: readonly string[]): number {
  return marked.filter((well) => wells.includes(well)).length;
}

/** The measurements of wells, the first one that the pipeline shows chosen; what was chosen before stays. */
function offer(select: HTMLSelectElement, pipeline: PipelineDocument | null): void {
  const before = select.value;
  const measured = (pipeline?.measurements ?? []).filter((entry) => entry.level === 'well');
  select.replaceChildren(...measured.map((entry) => new Option(entry.title, entry.name)));
  const wanted = [before, pipeline?.primary_measurement].find((name) => measured.some((entry) => entry.name === name));
  if (wanted) select.value = wanted;
}
