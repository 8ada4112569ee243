// SPDX-License-Identifier: AGPL-3.0-or-later
/** The parts of `openhcs_client`'s models that only the pages read, and what our templates hand to them. */

import type { Execution, WellExecution, ResultsDeletion } from '../../shared/contracts';

export type ParameterValue = boolean | number | string | null | (boolean | number | string)[];

export interface ExposedParameter {
  name: string;
  title: string;
  step: number;
  parameter: string;
  type: 'integer' | 'number' | 'boolean' | 'choice' | 'channel';
  default: ParameterValue;
  minimum: number | null;
  maximum: number | null;
  choices: string[] | null;
  unit: string | null;
  help: string;
}

export interface Measurement {
  name: string;
  title: string;
  level: 'object' | 'field' | 'well';
  unit: string | null;
  help: string;
}

export interface PipelineDocument {
  id: string;
  version: number;
  name: string;
  description: string;
  parameters: ExposedParameter[];
  measurements: Measurement[];
  primary_measurement: string | null;
  minimum_channels: number;
}

export interface PipelineVersions {
  id: string;
  versions: PipelineDocument[];
}

export interface ExecutionDetail extends Execution {
  deletion: ResultsDeletion | null;
  parameters: Record<string, ParameterValue>;
  rows: number;
  columns: number;
  wells: WellExecution[];
  last_event: number;
}

/** What `execute.html` writes. */
export interface ExecutePageData {
  api: string;
  viewer: string;
  thumbnails: string;
  pipelines_base: string;
  plate_id: number;
  plate_name: string;
  rows: number;
  columns: number;
  channels: string[];
  wells: { well: string; images: number[] }[];
  selected_wells: string[];
  pipeline: string | null;
  user: string;
  may_run: boolean;
  poll_interval_ms: number;
  live: boolean;
}

/** What `results.html` writes. */
export interface ResultsPageData {
  api: string;
  viewer: string;
  /** Base address of OME-Zarr 0.4. */
  zarr: string;
  thumbnails: string;
  pipelines_base: string;
  execution: ExecutionDetail;
  measurements: Measurement[];
  primary_measurement: string | null;
  images: Record<string, number[]>;
  is_owner: boolean;
  may_control: boolean;
  poll_interval_ms: number;
  live: boolean;
}
