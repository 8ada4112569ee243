// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The JSON that the plugin's API speaks: the TypeScript side of the models in the Python package `openhcs_client`.
 *
 * Only what the pages read is listed. A Python test compares the field names here with the models, so a renamed field
 * fails a test instead of showing `undefined` to a user.
 */

export type ExecutionStatusName =
  'queued' | 'running' | 'waiting_for_sign_in' | 'saving' | 'completed' | 'completed_with_errors' | 'failed' | 'cancelled';

const FINAL: ReadonlySet<ExecutionStatusName> = new Set(['completed', 'completed_with_errors', 'failed', 'cancelled']);

/** Whether nothing more will happen in an execution of this status (unless somebody retries it). */
export function isFinal(status: ExecutionStatusName): boolean {
  return FINAL.has(status);
}

export type WellState = 'waiting' | 'staging' | 'running' | 'saving' | 'done' | 'failed' | 'skipped';

export type FailureClass =
  'bad_input' | 'out_of_memory' | 'time_limit' | 'disk_full' | 'omero_lost' | 'engine_error' | 'worker_lost';

export interface ErrorBody {
  code: string;
  message: string;
  field_errors: Record<string, string>;
  request_id: string;
}

export interface WellFailure {
  cause: FailureClass;
  message: string;
  remedy: string;
  traceback: string;
}

export interface WellExecution {
  well: string;
  row: number;
  column: number;
  well_id: number;
  state: WellState;
  attempt: number;
  step: number;
  step_count: number;
  step_name: string;
  seconds: number | null;
  worker: string | null;
  started_at: string | null;
  ended_at: string | null;
  failure: WellFailure | null;
  reused_steps: number;
  measurements: Record<string, number | null>;
}

export interface ResultLinks {
  table_file_id: number | null;
  table_annotation_id: number | null;
  plate_id: number | null;
  dataset_id: number | null;
  provenance_annotation_id: number | null;
  pipeline_annotation_id: number | null;
  rois: number | null;
  rois_left_out: number;
}

/** Why an execution does not get the next free worker. */
export type WaitingCode =
  | 'paused'
  | 'controls'
  | 'sign_in'
  | 'draining'
  | 'omero_unreachable'
  | 'daily_budget'
  | 'gpu_budget'
  | 'user_limit'
  | 'no_worker'
  | 'workers_busy';

export interface Execution {
  execution_id: string;
  plate_id: number;
  plate_name: string;
  group_id: number;
  owner_id: number;
  owner_name: string;
  pipeline_id: string;
  pipeline_name: string;
  pipeline_version: number;
  pipeline_hash: string;
  status: ExecutionStatusName;
  message: string;
  test_well: boolean;
  paused: boolean;
  waiting_code: WaitingCode | null;
  waiting_reason: string;
  queue_position: number | null;
  wells_total: number;
  wells_completed: number;
  wells_failed: number;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  results: ResultLinks;
  results_removed_at: string | null;
}

export interface ExecutionStatus {
  execution_id: string;
  status: ExecutionStatusName;
  message: string;
  paused: boolean;
  waiting_code: WaitingCode | null;
  waiting_reason: string;
  queue_position: number | null;
  wells_total: number;
  wells_completed: number;
  wells_failed: number;
  current_well: string | null;
  current_step: string | null;
  started_at: string | null;
  estimated_completion: string | null;
  earliest_completion: string | null;
  latest_completion: string | null;
  last_event: number;
}

export interface ExecutionCreated {
  execution_id: string;
  status_url: string;
  results_url: string;
}

export interface Event {
  sequence: number;
  time: string;
  kind: string;
  well: string | null;
  data: Record<string, unknown>;
}

export interface EventPage {
  events: Event[];
  next: number;
  status: ExecutionStatusName;
}

export interface Methods {
  execution_id: string;
  text: string;
}

export interface LiveTicket {
  ticket: string;
  expires_in: number;
  url: string;
}

export interface WellLogLine {
  time: string;
  source: 'service' | 'engine';
  level: 'info' | 'warning' | 'error';
  text: string;
}

export interface WellLog {
  well: string;
  attempt: number;
  lines: WellLogLine[];
}

export interface MeasurementPage {
  level: 'well' | 'field' | 'object';
  columns: string[];
  rows: (number | string | null)[][];
  total_rows: number;
  next_cursor: string | null;
}

export interface LabelInfo {
  field: number;
  name: string;
  objects: number;
  omero_image_id: number | null;
}

export interface FunctionParameter {
  name: string;
  title: string;
  type: 'integer' | 'number' | 'boolean' | 'string' | 'choice' | 'list' | 'channel' | 'objects';
  default: unknown;
  required: boolean;
  minimum: number | null;
  maximum: number | null;
  choices: string[] | null;
  unit: string | null;
  help: string;
  advanced: boolean;
  inferred: boolean;
}

export interface FunctionCost {
  seconds_per_megapixel: number;
  memory_mb_per_megapixel: number;
}

export interface FunctionInfo {
  id: string;
  title: string;
  library: string;
  category: string;
  help: string;
  parameters: FunctionParameter[];
  inputs: string[];
  outputs: string[];
  restrictable: boolean;
  offered: boolean;
  reason: string;
  cost: FunctionCost | null;
  import_path: string | null;
}

/** What of a run is saved in OMERO. */
export interface SavingOptions {
  labels: boolean;
  processed: boolean;
  table: boolean;
  figures: boolean;
  rois: 'none' | 'polygons' | 'masks';
  rois_per_field: number;
  rois_per_run: number;
  target: 'plate' | 'new_dataset' | 'dataset';
  dataset_id: number | null;
  name: string;
  tags: string[];
}

/** Exactly what deleting the results of an execution removes. */
export interface DeletionPlan {
  execution_id: string;
  items: {
    kind: 'plate' | 'dataset' | 'image' | 'table' | 'annotation' | 'roi' | 'figure' | 'tag';
    count: number;
    names: string[];
  }[];
  kept: { kind: string; name: string; reason: string }[];
  total: number;
  digest: string;
}

export interface ResultsDeletion {
  state: 'deleting' | 'deleted' | 'failed';
  by_name: string;
  requested_at: string;
  ended_at: string | null;
  total: number;
  done: number;
  message: string;
}

export interface RunEstimate {
  wells: number;
  seconds: number;
  seconds_per_well: number;
  memory_mb: number;
  output_mb: number;
  processed_mb: number | null;
  basis: string;
  /** Objects in label images, by wells that were run before with the same values. */
  objects: number | null;
  objects_per_field: number | null;
  objects_basis: string;
}

export interface ValidationReport {
  valid: boolean;
  field_errors: Record<string, string>;
  warnings: string[];
  estimate: RunEstimate | null;
  complete: boolean;
}

export type CheckState = 'no_golden_wells' | 'not_checked' | 'running' | 'not_run' | 'differs' | 'agrees';

export interface MeasurementDifference {
  name: string;
  expected: number | null;
  found: number | null;
  measured: boolean;
  deviation: number | null;
  allowed: number | null;
  agrees: boolean;
}

export interface GoldenWellCheck {
  plate_id: number;
  plate_name: string | null;
  well: string;
  parameters: Record<string, unknown>;
  note: string;
  state: CheckState;
  message: string;
  execution_id: string | null;
  well_id: number | null;
  checked_at: string | null;
  versions: Record<string, string>;
  differences: MeasurementDifference[];
}

export interface GoldenCheck {
  pipeline_id: string;
  version: number;
  expected_by: number;
  state: CheckState;
  wells: GoldenWellCheck[];
}

export interface SharingCheck {
  pipeline_id: string;
  version: number;
  state: CheckState;
  checks: GoldenCheck[];
}

export interface ZarrAddress {
  kind: 'image' | 'plate';
  id: number;
  urls: Record<string, string>;
  expires_at: string;
}
