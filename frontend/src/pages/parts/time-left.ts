// SPDX-License-Identifier: AGPL-3.0-or-later
/** How long a run still takes, and how sure that is: "about 12 min left (10 to 15)". */

import type { ExecutionStatus } from '../../shared/contracts';
import { formatRemaining } from './format';

type Forecast = Pick<ExecutionStatus, 'estimated_completion' | 'earliest_completion' | 'latest_completion'>;

/** Words for the forecast; nothing while there is none. The interval is left out where it says the same as the middle. */
export function timeLeft(forecast: Forecast, now = Date.now()): string {
  if (!forecast.estimated_completion) return '';
  const left = Math.max(0, Date.parse(forecast.estimated_completion) - now);
  const words = `${formatRemaining(left)} left`;
  if (!forecast.earliest_completion || !forecast.latest_completion || left < 10_000) return words;
  const earliest = Math.max(0, Date.parse(forecast.earliest_completion) - now);
  const latest = Math.max(0, Date.parse(forecast.latest_completion) - now);
  const [low, high] = unitOf(left, earliest, latest);
  return low === high ? words : `${words} (${low} to ${high})`;
}

/** Both ends, in the unit of the middle where that can be read, with the unit where it is another. */
function unitOf(left: number, earliest: number, latest: number): [string, string] {
  const seconds = (milliseconds: number) => String(Math.round(milliseconds / 10_000) * 10);
  const minutes = (milliseconds: number) => String(Math.round(milliseconds / 60_000));
  if (left < 60_000)
    return latest < 90_000 ? [seconds(earliest), seconds(latest)] : [`${seconds(earliest)} s`, `${minutes(latest)} min`];
  if (left < 3_600_000 && latest < 5_400_000) {
    return earliest < 30_000 ? [`${seconds(earliest)} s`, `${minutes(latest)} min`] : [minutes(earliest), minutes(latest)];
  }
  return [formatRemaining(earliest).replace('about ', ''), formatRemaining(latest).replace('about ', '')];
}
