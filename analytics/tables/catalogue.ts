import { ALARM_TABLES } from './alarms.ts'
import { INCIDENT_TABLES } from './incidents.ts'
import type { Table } from './table.ts'

/** Rows behind panels, each defined once. */
export const TABLES: readonly Table[] = [...INCIDENT_TABLES, ...ALARM_TABLES]
