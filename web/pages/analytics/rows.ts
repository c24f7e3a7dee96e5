import type { Severity } from '../../../schemas/alert.ts'
import type { Clock } from './view.ts'

/** Rows of the tables of the history that panels show (analytics/tables). */

export interface Level {
  readonly service: string
  readonly month: string
  readonly clock: Clock
  readonly met: number
  readonly breached: number
  readonly not_due: number
  /** Null: nothing was due. */
  readonly attainment: number | null
}

export interface Hour {
  /** 1: Monday. */
  readonly weekday: number
  readonly hour: number
  readonly incidents: number
  /** Of the period; an hour that came twice counts twice. */
  readonly hours: number
}

export interface Stage {
  readonly stage: 'statements' | 'alerts' | 'opened' | 'incidents' | 'disturbing' | 'acknowledged'
  readonly count: number
}

export interface Root {
  readonly root_fingerprint: string
  readonly alertname: string
  readonly entity: string
  readonly service: string
  readonly incidents: number
  readonly cumulative: number
  readonly open_ms: number
  readonly last_id: string
  readonly last_opened_ms: number
}

export interface Due {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly service: string
  readonly assignee: string | null
  readonly acknowledged: boolean
  /** Negative: late. */
  readonly left_ms: number
}

export interface Subject {
  readonly id: string
  readonly opened_ms: number
  readonly elapsed_ms: number
  readonly outcome: 'open' | 'resolved'
  readonly severity: Severity
  readonly service: string
  readonly title: string
}

/** By the name of the table. */
export interface Rows {
  readonly sla: Level
  readonly heatmap: Hour
  readonly funnel: Stage
  readonly recurrence: Root
  readonly breaching: Due
  readonly scatter: Subject
}
