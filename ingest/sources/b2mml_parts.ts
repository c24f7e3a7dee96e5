import { equipmentPath } from './equipment.ts'
import type { Fields } from './fields.ts'
import { Unreadable } from './format.ts'
import { TEXT } from './xml.ts'

/** Elements of B2MML, as XML or JSON: one or many of them, with texts that may be wrapped. */

export function itemsOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null || value === '') return []
  return Array.isArray(value) ? value : [value]
}

/** Names under which the text of an element with attributes stands in JSON. */
const WRAPPED = ['value', 'Value', TEXT, '$', '_']

/** The text of an element; the first where there are several; empty where there is none. */
export function textIn(value: unknown): string {
  if (typeof value === 'string') return value.trim()
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return textIn(value[0])
  if (typeof value !== 'object' || value === null) return ''
  const fields = value as Fields
  const name = WRAPPED.find((one) => typeof fields[one] === 'string' || typeof fields[one] === 'number')
  return name === undefined ? '' : textIn(fields[name])
}

/** Levels of ISA-95 to labels; several names of one level differ by the kind of production. */
const LEVELS: Readonly<Record<string, string>> = {
  enterprise: 'enterprise',
  site: 'site',
  area: 'area',
  workcenter: 'line',
  productionline: 'line',
  processcell: 'line',
  productionunit: 'line',
  storagezone: 'line',
  workcell: 'cell',
  workunit: 'unit',
  unit: 'unit',
  storageunit: 'unit',
  equipmentmodule: 'equipment_module',
  controlmodule: 'control_module',
}

export interface Equipment {
  /** From the enterprise down; empty: no place is told. */
  readonly path: string
  /** By label: `enterprise`, `site`, `area`, `line`, `cell`, `unit` and below. */
  readonly levels: Readonly<Record<string, string>>
  /** The lowest place that is told. */
  readonly machine: string
}

const LEVELS_MAX = 16

/** Where the alert is: scopes that lie in one another, the outermost first. Throws Unreadable when they have no end. */
export function equipmentOf(alert: Fields): Equipment {
  const ids: string[] = []
  const levels: Record<string, string> = {}
  let scope: unknown = alert['HierarchyScope'] ?? { EquipmentID: alert['EquipmentID'] }
  while (typeof scope === 'object' && scope !== null) {
    if (ids.length > LEVELS_MAX)
      throw new Unreadable('hierarchy-depth', `the scope has more than ${LEVELS_MAX} levels`)
    const inner: Fields = Array.isArray(scope) ? { HierarchyScope: scope[0] } : (scope as Fields)
    const id = textIn(inner['EquipmentID'])
    ids.push(id)
    const level = LEVELS[levelOf(inner)]
    if (id !== '' && level !== undefined) levels[level] = id
    scope = inner['HierarchyScope']
  }
  const told = ids.filter((id) => id !== '')
  return { path: equipmentPath(told), levels, machine: told.at(-1) ?? '' }
}

function levelOf(scope: Fields): string {
  return textIn(scope['EquipmentElementLevel'] ?? scope['EquipmentLevel'])
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
}
