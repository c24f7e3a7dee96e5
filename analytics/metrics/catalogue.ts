import { LOCAL_DIMENSIONS, PLAIN_DIMENSIONS } from '../../schemas/analytics_question.ts'
import { ALARMS } from './alarms.ts'
import { DURATIONS } from './durations.ts'
import { HANDLING } from './handling.ts'
import type { Metric } from './metric.ts'
import { SERVICE_LEVELS } from './service_levels.ts'
import { VOLUME } from './volume.ts'

/** Every metric of the history, each defined once: API, command line, reports and dashboards ask for it by name. */
export const METRICS: readonly Metric[] = [...DURATIONS, ...HANDLING, ...SERVICE_LEVELS, ...VOLUME, ...ALARMS]

export function metricNamed(name: string): Metric | undefined {
  return METRICS.find((metric) => metric.name === name)
}

/** What a metric can be counted and filtered by; `label.NAME` stands for any label. */
export function dimensionsOf(about: Metric['about']): readonly string[] {
  if (about === 'times') return LOCAL_DIMENSIONS
  const plain = PLAIN_DIMENSIONS.filter((name) => about === 'incidents' || name !== 'assignee')
  return [...plain, ...LOCAL_DIMENSIONS, 'label.NAME']
}
