// SPDX-License-Identifier: AGPL-3.0-or-later
/** Signs an execution in again that waits for its owner: being here, signed in, is all that it takes. */

import type { Api } from '../../shared/api';
import type { ExecutionStatus } from '../../shared/contracts';

/** Returns the new status. Rejects when somebody else owns the execution or OMERO refuses. */
export function signInAgain(api: Api, executionId: string): Promise<ExecutionStatus> {
  return api.post<ExecutionStatus>(`executions/${executionId}/session/`);
}
