// SPDX-License-Identifier: AGPL-3.0-or-later
/** How a heat map is coloured: scale, limits, logarithm, and whether the values or their B-scores are shown. */

import { byId } from '../../shared/dom';
import type { LimitChoice, ScaleName } from '../../shared/platemap';

export interface HeatChoice {
  scale: ScaleName;
  limits: LimitChoice;
  logarithmic: boolean;
  scores: boolean;
}

export interface HeatOptions {
  read(): HeatChoice;
  /** Show the options only while there is a heat map. */
  setVisible(visible: boolean): void;
}

/** Take over the controls of the template `heat_options.html`. */
export function createHeatOptions(onChange: () => void): HeatOptions {
  const host = byId('oh-heat-options');
  const values = byId<HTMLSelectElement>('oh-heat-values');
  const scale = byId<HTMLSelectElement>('oh-heat-scale');
  const limits = byId<HTMLSelectElement>('oh-heat-limits');
  const manual = byId('oh-heat-manual');
  const low = byId<HTMLInputElement>('oh-heat-low');
  const high = byId<HTMLInputElement>('oh-heat-high');
  const logarithm = byId<HTMLInputElement>('oh-heat-log');
  const problem = byId('oh-heat-problem');

  /** The limits of the two fields; undefined until they make sense. */
  function manualLimits(): LimitChoice | undefined {
    const chosen = { low: low.valueAsNumber, high: high.valueAsNumber };
    return chosen.low < chosen.high ? chosen : undefined;
  }

  function changed(): void {
    manual.hidden = limits.value !== 'manual';
    const wrong = limits.value === 'manual' && low.value !== '' && high.value !== '' && !manualLimits();
    problem.textContent = wrong ? 'The lower limit must be below the upper one.' : '';
    problem.hidden = !wrong;
    low.setAttribute('aria-invalid', String(wrong));
    // B-scores are negative for half of the wells.
    logarithm.disabled = values.value === 'scores';
    onChange();
  }

  host.addEventListener('change', changed);
  return {
    read() {
      const chosen = limits.value === 'manual' ? manualLimits() : limits.value;
      return {
        scale: scale.value as ScaleName,
        limits: (chosen as LimitChoice | undefined) ?? 'robust',
        logarithmic: logarithm.checked && !logarithm.disabled,
        scores: values.value === 'scores',
      };
    },
    setVisible(visible) {
      host.hidden = !visible;
    },
  };
}
