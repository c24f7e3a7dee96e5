/** An incident with the number of its alerts that share something. */
export type Entry = readonly [incident_id: string, alerts: number]

/** The incident that has the value once, the one that has it more often, or how often each of several has it. */
type Sharing = string | Entry | Map<string, number>

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
      if (only[0] === incident_id) values.set(value, [incident_id, only[1] + 1])
      else values.set(value, new Map([only, [incident_id, 1]]))
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
      if (only[0] !== incident_id) return
      if (only[1] > 1) values.set(value, [incident_id, only[1] - 1])
      else values.delete(value)
    }
    if (values.size === 0) this.scopes.delete(scope)
  }

  /** In how many incidents the value is. */
  sharing(scope: string, value: string): number {
    const found = this.scopes.get(scope)?.get(value)
    return found instanceof Map ? found.size : found === undefined ? 0 : 1
  }

  /** Each incident that has the value; null when none has, or more than `incidents_max`, for then the value tells nothing. */
  of(scope: string, value: string, incidents_max: number): Iterable<Entry> | null {
    const found = this.scopes.get(scope)?.get(value)
    if (found === undefined) return null
    if (!(found instanceof Map)) return [sharesOf(found)]
    return found.size > incidents_max ? null : found
  }
}

function sharesOf(found: string | Entry): Entry {
  return typeof found === 'string' ? [found, 1] : found
}
