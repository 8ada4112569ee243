// SPDX-License-Identifier: AGPL-3.0-or-later
/** Reads the function catalogue: also what is not offered, because a step may name it and people may ask why. */

import type { Api } from '../shared/api';
import type { FunctionInfo } from '../shared/contracts';

export async function readCatalogue(api: Api): Promise<FunctionInfo[]> {
  const answer = await api.get<{ functions: FunctionInfo[] }>('functions/', { params: { offered: false } });
  return answer.functions;
}
