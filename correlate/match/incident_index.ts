/** How many alerts of one incident share something. */
interface Shares {
  readonly incident_id: string
  alerts: number
}

/** No incident shares the value, or so many that it tells nothing. */
export const NOBODY: readonly Readonly<Shares>[] = []

/**
 * Which incidents have alerts that share a value: scope → value → incidents. Derived from the alert rows. Most values are in one
 * incident only, so that one is kept without a map.
 */
export class IncidentIndex {
  private readonly scopes = new Map<string, Map<string, Shares | Map<string, Shares>>>()

  add(scope: string, value: string, incident_id: string): void {
    let values = this.scopes.get(scope)
    if (values === undefined) {
      values = new Map<string, Shares | Map<string, Shares>>()
      this.scopes.set(scope, values)
    }
    const found = values.get(value)
    if (found === undefined) values.set(value, { incident_id, alerts: 1 })
    else if (found instanceof Map) addTo(found, incident_id)
    else if (found.incident_id === incident_id) found.alerts++
    else {
      const many = new Map([[found.incident_id, found]])
      addTo(many, incident_id)
      values.set(value, many)
    }
  }

  remove(scope: string, value: string, incident_id: string): void {
    const values = this.scopes.get(scope)
    const found = values?.get(value)
    if (values === undefined || found === undefined) return
    const shares = found instanceof Map ? found.get(incident_id) : found
    if (shares === undefined || shares.incident_id !== incident_id || --shares.alerts > 0) return
    if (found instanceof Map) found.delete(incident_id)
    if (!(found instanceof Map) || found.size === 0) values.delete(value)
    if (values.size === 0) this.scopes.delete(scope)
  }

  /** In how many incidents the value is. */
  sharing(scope: string, value: string): number {
    const found = this.scopes.get(scope)?.get(value)
    return found instanceof Map ? found.size : found === undefined ? 0 : 1
  }

  /** Each incident with its number of alerts; none when there are more than `incidents_max`, for then the value tells nothing. */
  of(scope: string, value: string, incidents_max: number): Iterable<Readonly<Shares>> {
    const found = this.scopes.get(scope)?.get(value)
    if (found === undefined) return NOBODY
    if (!(found instanceof Map)) return [found]
    return found.size > incidents_max ? NOBODY : found.values()
  }
}

function addTo(many: Map<string, Shares>, incident_id: string): void {
  const shares = many.get(incident_id)
  if (shares === undefined) many.set(incident_id, { incident_id, alerts: 1 })
  else shares.alerts++
}
