import { BadLine, readLine, type Recorded } from '../../cli/replay/lines.ts'
import { Replay } from '../../cli/replay/run.ts'
import type { State } from '../../correlate/state.ts'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { rulesOf } from '../../runtime/config_rules.ts'
import { config as configSchema } from '../../schemas/config.ts'
import type { Incident } from '../../schemas/incident.ts'
import type { EvidenceRules, Rules } from '../../schemas/rules.ts'
import type { TopologyPart } from '../../schemas/topology.ts'
import type { Line } from './recordings.ts'

const DEFAULT_CONFIG = configSchema.parse({})

/** The configuration that everyone has who configures nothing. */
export const DEFAULTS: Rules = { ...rulesOf(DEFAULT_CONFIG), version: 'defaults' }

/** What differs from the defaults while the fold runs. */
export interface Setting {
  readonly name: string
  readonly evidence?: Partial<EvidenceRules>
  readonly no_topology?: true
  /** Called before each alert. */
  readonly prepare?: (state: State, recorded: Recorded) => Recorded
}

/** Alerts as the fold takes them; a line that cannot be read is null. */
export function recordedOf(lines: readonly Line[]): readonly (Recorded | null)[] {
  const normalise = makeNormaliser(DEFAULT_CONFIG)
  return lines.map(({ value }) => {
    try {
      return readLine(JSON.stringify(value), normalise)
    } catch (error) {
      if (error instanceof BadLine) return null
      throw error
    }
  })
}

/** What the fold made of alerts. */
export interface Played {
  /** The incident of each alert when it was heard, or what that was merged into later. */
  readonly groups: readonly (string | null)[]
  /** Time in the fold of each alert. */
  readonly fold_us: Float64Array
  /** Alerts that fired and went to another incident because they began anew. */
  readonly moved: number
  /** Of these, such that the true incident was the same as when they were last heard. */
  readonly moved_astray: number
  /** Entities by incident, the likeliest first; null when no incident names causes. */
  readonly causes: ReadonlyMap<string, readonly string[]> | null
}

export function play(
  alerts: readonly (Recorded | null)[],
  incidents: readonly string[],
  topology: readonly TopologyPart[],
  setting: Setting,
): Played {
  const evidence = { ...DEFAULTS.evidence, ...setting.evidence }
  const rules = { ...DEFAULTS, evidence, version: setting.name }
  const run = new Replay(rules, setting.no_topology ? [] : topology)
  const groups: (string | null)[] = []
  const fold_us = new Float64Array(alerts.length)
  const last_true = new Map<string, string>()
  let moved_astray = 0
  alerts.forEach((recorded, i) => {
    if (recorded === null) {
      groups.push(null)
      return
    }
    const taken = setting.prepare?.(run.state, recorded) ?? recorded
    const moved_before = run.moved
    const began_ms = performance.now()
    const { incident_id } = run.take(taken)
    fold_us[i] = (performance.now() - began_ms) * 1_000
    groups.push(incident_id)
    const { fingerprint } = taken.alert
    const incident = incidents[i] ?? ''
    if (run.moved > moved_before && last_true.get(fingerprint) === incident) moved_astray++
    last_true.set(fingerprint, incident)
  })
  const told = run.finish()
  return { groups: followed(groups, told), fold_us, moved: run.moved, moved_astray, causes: causesOf(told) }
}

/** An alert of an incident that was merged later is in the one that it was merged into. */
function followed(groups: readonly (string | null)[], incidents: readonly Incident[]) {
  const parents = new Map(incidents.map(({ id, merged_into }) => [id, merged_into]))
  const home = (group: string): string => {
    const parent = parents.get(group)
    return parent ? home(parent) : group
  }
  return groups.map((group) => group && home(group))
}

/** Causes are read as scorers outside read them: `causes: [{entity}]`, on incidents that have any. */
function causesOf(incidents: readonly Incident[]): Played['causes'] {
  const found = new Map<string, readonly string[]>()
  for (const { id, causes } of incidents) {
    if (causes.length > 0)
      found.set(
        id,
        causes.map(({ entity }) => entity),
      )
  }
  return found.size === 0 ? null : found
}
