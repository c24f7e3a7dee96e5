/** How many alerts of one incident share something. */
export interface Shares {
  readonly incident_id: string
  readonly alerts: number
}

/** The incident that has the value once, the one that has it more often, or how often each of several has it. */
type Sharing = string | Shares | Map<string, number>

/** No incident shares the value, or so many that it tells nothing. */
export const NOBODY: readonly Shares[] = []

/**
 * Which incidents have alerts that share a value: scope → value → incidents. Derived from the alert rows. Most values are in one
 * alert only, so that its incident alone is kept.
 */
export class IncidentIndex {
  private readonly scopes = new Map<string, Map<string, Sharing>>()

  add(scope: string, value: string, incident_id: string): void {
    let values = this.scopes.get(scope)
    if (values === undefined) {
      values = new Map<string, Sharing>()
      this.scopes.set(scope, values)
    }
    const found = values.get(value)
    if (found === undefined) values.set(value, incident_id)
    else if (found instanceof Map) found.set(incident_id, (found.get(incident_id) ?? 0) + 1)
    else {
      const only = sharesOf(found)
      if (only.incident_id === incident_id) values.set(value, { incident_id, alerts: only.alerts + 1 })
      else
        values.set(
          value,
          new Map([
            [only.incident_id, only.alerts],
            [incident_id, 1],
          ]),
        )
    }
  }

  remove(scope: string, value: string, incident_id: string): void {
    const values = this.scopes.get(scope)
    const found = values?.get(value)
    if (values === undefined || found === undefined) return
    if (found instanceof Map) {
      const alerts = (found.get(incident_id) ?? 0) - 1
      if (alerts > 0) found.set(incident_id, alerts)
      else found.delete(incident_id)
      if (found.size === 0) values.delete(value)
    } else {
      const only = sharesOf(found)
      if (only.incident_id !== incident_id) return
      if (only.alerts > 1) values.set(value, { incident_id, alerts: only.alerts - 1 })
      else values.delete(value)
    }
    if (values.size === 0) this.scopes.delete(scope)
  }

  /** In how many incidents the value is. */
  sharing(scope: string, value: string): number {
    const found = this.scopes.get(scope)?.get(value)
    return found instanceof Map ? found.size : found === undefined ? 0 : 1
  }

  /** Each incident with its number of alerts; none when there are more than `incidents_max`, for then the value tells nothing. */
  of(scope: string, value: string, incidents_max: number): readonly Shares[] {
    const found = this.scopes.get(scope)?.get(value)
    if (found === undefined) return NOBODY
    if (!(found instanceof Map)) return [sharesOf(found)]
    if (found.size > incidents_max) return NOBODY
    return Array.from(found, ([incident_id, alerts]) => ({ incident_id, alerts }))
  }
}

function sharesOf(found: string | Shares): Shares {
  return typeof found === 'string' ? { incident_id: found, alerts: 1 } : found
}
