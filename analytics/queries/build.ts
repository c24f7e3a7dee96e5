import type { AnalyticsQuestion, Period } from '../../schemas/analytics_question.ts'
import { type Cohorts, cohortsOf } from '../metrics/cohorts.ts'
import { WITHIN_DEFAULTS_MS } from '../metrics/handling.ts'
import { piecesOf } from '../metrics/pieces.ts'
import { targetParameters } from '../metrics/service_levels.ts'
import type { Query } from './ask.ts'

function withinParameters({ within_ms }: AnalyticsQuestion): Record<string, number> {
  const defaults = Object.entries(WITHIN_DEFAULTS_MS)
  return Object.fromEntries(defaults.map(([name, standard_ms]) => [name, within_ms ?? standard_ms]))
}

/** A query about one period of a question, with the parameters that its text names. */
export function queryOf(
  question: AnalyticsQuestion,
  period: Period,
  sql: (cohorts: Cohorts) => string,
): Query {
  const pieces = piecesOf(question, period)
  const text = sql(cohortsOf(pieces))
  const parameters = {
    ...pieces.parameters,
    ...withinParameters(question),
    ...targetParameters('response', question.target_ms),
    ...targetParameters('resolve', question.target_ms),
    ...targetParameters('review', question.target_ms),
  }
  const named = Object.entries(parameters).filter(([name]) => text.includes(`{${name}:`))
  return { sql: text.replaceAll(/\s*\n\s*/g, '\n').trim(), parameters: Object.fromEntries(named) }
}
