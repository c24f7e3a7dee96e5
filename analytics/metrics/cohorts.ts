import { AS_OF, FROM, type Pieces, TO } from './pieces.ts'

/** What metrics count: subqueries over the views of the history, of one period and with the filters of the question. */
export interface Cohorts {
  /**
   * Incidents opened in the period that were not merged into others: columns of `incident_facts`, `grouped`, and `…_by`, the times of
   * their steps as far as they had come by the time of asking.
   */
  readonly incidents: string
  /** The same with those that were merged. */
  readonly opened: string
  /**
   * Activations of alarms that began in the period: `fingerprint`, `starts_at`, `at` (when it was heard), `ended_at` (NULL: it stands),
   * `severity`, `entity`, `labels`, `grouped`. An alert that moves to another incident is still the same activation.
   */
  readonly alarms: string
  readonly pieces: Pieces
}

const reached = (step: string) => `if(${step}_at <= ${AS_OF}, ${step}_at, NULL) AS ${step}_by`

function opened(pieces: Pieces): string {
  return `
    SELECT *, opened_at AS at, ${pieces.groups('opened_at')} AS grouped,
           ${['acknowledged', 'mitigated', 'resolved', 'reviewed'].map(reached).join(', ')}
    FROM incident_facts
    WHERE opened_at >= ${FROM} AND opened_at < ${TO} AND opened_at <= ${AS_OF}${pieces.filters}`
}

function alarms(pieces: Pieces): string {
  return `
    SELECT *, ${pieces.groups('at')} AS grouped
    FROM (
      SELECT fingerprint, starts_at, min(joined_at) AS at, argMax(tuple(memberships.ended_at), revision).1 AS ended_at,
             any(scope) AS scope, any(severity) AS severity, any(entity) AS entity, any(reason_rule) AS rule, any(labels) AS labels,
             coalesce(nullIf(labels['service'], ''), nullIf(labels['app'], ''), labels['job']) AS service,
             coalesce(nullIf(labels['team'], ''), labels['owner']) AS team,
             coalesce(nullIf(labels['site'], ''), nullIf(labels['plant'], ''), labels['location']) AS site,
             coalesce(nullIf(labels['line'], ''), labels['production_line']) AS line
      FROM memberships
      WHERE joined_at >= ${FROM} AND joined_at < ${TO} AND joined_at <= ${AS_OF}
      GROUP BY fingerprint, starts_at
    )
    WHERE 1${pieces.filters}`
}

export function cohortsOf(pieces: Pieces): Cohorts {
  const all = opened(pieces)
  return { incidents: `${all} AND state != 'merged'`, opened: all, alarms: alarms(pieces), pieces }
}
