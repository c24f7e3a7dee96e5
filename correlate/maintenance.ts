import { isWithin, nextTurn } from '../schemas/calendar.ts'
import type { CommandBody } from '../schemas/command.ts'
import type { Reason } from '../schemas/incident.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { MaintenanceWindow } from '../schemas/maintenance.ts'
import { type Decision, type Done, NOTHING, refused } from './decision.ts'
import type { AlertRow, LabelTest, MaintenanceRow, Row, State } from './state.ts'
import { MUTED_BY, remute, testOf } from './suppress.ts'

/** An operator opens a maintenance window, changes one that an operator opened, or ends it. */
export function changeMaintenance(
  state: State,
  actor: string,
  body: Extract<CommandBody, { kind: 'maintenance' | 'end-maintenance' }>,
): Done {
  if (body.kind === 'maintenance') return setWindow(state, { window: body.window, created_by: actor })
  const row = state.maintenance.get(body.name)
  if (!row) return refused(`no maintenance ${body.name} is known`)
  if (row.created_by === null) return refused(ofTheRules(body.name))
  return { ...over(state, row), refused: null }
}

function ofTheRules(name: string): string {
  return `maintenance ${name} stands in the configuration and is changed there`
}

function setWindow(state: State, row: MaintenanceRow): Done {
  const { name, match } = row.window
  const known = state.maintenance.get(name)
  if (known?.created_by === null) return refused(ofTheRules(name))
  if (!known && state.maintenance.size >= LIMITS.maintenance_windows_per_partition)
    return refused(`there are ${LIMITS.maintenance_windows_per_partition} maintenance windows already`)
  const test = testOf(match)
  if (typeof test === 'string') return refused(test)
  if (nextTurn(row.window, state.time_ms) === null) return refused(`maintenance ${name} is over already`)
  return { ...turned(state, row, test), refused: null }
}

/** A maintenance window begins or ends. What an operator opened is forgotten when nothing of it is to come. */
export function maintenanceTurns(state: State, name: string): Decision {
  const row = state.maintenance.get(name)
  const test = row && testOf(row.window.match)
  if (!row || typeof test !== 'function') return NOTHING
  if (row.created_by !== null && nextTurn(row.window, state.time_ms) === null) return over(state, row)
  return turned(state, row, test)
}

function turned(state: State, row: MaintenanceRow, test: LabelTest): Decision {
  const { name } = row.window
  const active = isWithin(row.window, state.time_ms)
  const mutes = ({ alert }: AlertRow) => active && test(alert.labels)
  const { rows, changes } = remute(state, MUTED_BY.maintenance + name, mutes, turnOf(row, active))
  return { rows: [{ kind: 'maintenance', key: name, value: row }, ...rows], changes }
}

function over(state: State, row: MaintenanceRow): Decision {
  const { name } = row.window
  const { rows, changes } = remute(state, MUTED_BY.maintenance + name, () => false, turnOf(row, false))
  return { rows: [{ kind: 'maintenance', key: name, value: null }, ...rows], changes }
}

function turnOf(
  { window, created_by }: MaintenanceRow,
  active: boolean,
): Pick<Reason, 'code' | 'rule' | 'text'> {
  const title =
    created_by === null ? `Maintenance ${window.name}` : `Maintenance ${window.name} by ${created_by}`
  const begins = window.comment === '' ? `${title} began.` : `${title} began: ${window.comment}`
  return { code: 'maintenance', rule: window.name, text: active ? begins : `${title} is over.` }
}

/** The rows by which the windows of the rules become these. Alerts are muted and unmuted afterwards, all at once. */
export function windowsOfRules(state: State, windows: readonly MaintenanceWindow[]): Row[] {
  const wanted = new Set(windows.map(({ name }) => name))
  const rows: Row[] = []
  for (const [name, { created_by }] of state.maintenance)
    if (created_by === null && !wanted.has(name)) rows.push({ kind: 'maintenance', key: name, value: null })
  for (const window of windows)
    rows.push({ kind: 'maintenance', key: window.name, value: { window, created_by: null } })
  return rows
}
