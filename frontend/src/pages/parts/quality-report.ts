// SPDX-License-Identifier: AGPL-3.0-or-later
/** The TypeScript side of `openhcs_client`'s quality models: what the results page reads of them. */

export type WellRole = 'positive' | 'negative' | 'empty' | 'treatment';

export interface WellContent {
  well: string;
  role: WellRole;
  compound: string;
  concentration: string;
}

export interface PlateControls {
  plate_id: number;
  source: 'own' | 'plate_owner' | 'colleague' | 'annotations' | 'none';
  marked_by: string;
  shared: boolean;
  may_share: boolean;
  wells: WellContent[];
}

export interface ControlStatistics {
  positive_wells: number;
  negative_wells: number;
  positive_mean: number | null;
  negative_mean: number | null;
  positive_cv: number | null;
  negative_cv: number | null;
  z_prime: number | null;
  z_prime_robust: number | null;
  ssmd: number | null;
  ssmd_robust: number | null;
  signal_window: number | null;
  verdict: 'excellent' | 'marginal' | 'unusable' | null;
  notes: string[];
}

export interface PlaceEffect {
  found: boolean;
  note: string;
}

export interface MeasurementQuality {
  name: string;
  wells: number;
  missing: number;
  controls: ControlStatistics;
  edge: PlaceEffect;
  drift: PlaceEffect[];
  b_scores: Record<string, number> | null;
  b_score_note: string;
}

export interface ImageFlag {
  well: string;
  field: number;
  kind: 'out_of_focus' | 'saturated' | 'nothing_found';
  message: string;
}

export interface QualityReport {
  execution_id: string;
  wells_total: number;
  wells_used: number;
  positive_wells: number;
  negative_wells: number;
  measurements: MeasurementQuality[];
  flags: ImageFlag[];
  controls: PlateControls | null;
}
