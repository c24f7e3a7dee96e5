/**
 * What must come of alerts, worked out from the input alone: alerts with the same values of the grouping labels belong
 * together, and the newest statement about an alert says whether it fires. Nothing of the product is used.
 */

/** A statement about an alert as it was sent; with an end, which lies in the past, it says that the alert is over. */
export interface Statement {
  readonly labels: Readonly<Record<string, string>>
  readonly endsAt?: string
}

export interface ExpectedGroup {
  /** Identities of its alerts. */
  readonly alerts: ReadonlySet<string>
  readonly state: 'open' | 'resolved'
}

export interface Expected {
  /** Key of a group (`keyOf`) → its alerts and final state. */
  readonly groups: ReadonlyMap<string, ExpectedGroup>
  /** Identity of an alert → how many statements were made about it. */
  readonly occurrences: ReadonlyMap<string, number>
}

/** Labels as text, the same whatever their order: the identity of an alert, or with some of its labels that of its group. */
export function keyOf(
  labels: Readonly<Record<string, string>>,
  names: readonly string[] = Object.keys(labels),
): string {
  const kept = [...names].sort().filter((name) => labels[name] !== undefined)
  return JSON.stringify(kept.map((name) => [name, labels[name]]))
}

/** Statements in the order in which they count; alerts fire until they are told to be over. */
export function expectedGroups(
  statements: Iterable<Statement>,
  grouping_labels: readonly string[],
): Expected {
  const keys = new Map<Statement['labels'], { readonly alert: string; readonly group: string }>()
  const groups = new Map<string, Set<string>>()
  const occurrences = new Map<string, number>()
  const firing = new Set<string>()
  for (const { labels, endsAt } of statements) {
    // Most statements repeat the very same labels.
    const known = keys.get(labels) ?? { alert: keyOf(labels), group: keyOf(labels, grouping_labels) }
    keys.set(labels, known)
    const { alert, group } = known
    groups.set(group, (groups.get(group) ?? new Set()).add(alert))
    occurrences.set(alert, (occurrences.get(alert) ?? 0) + 1)
    if (endsAt === undefined) firing.add(alert)
    else firing.delete(alert)
  }
  const finished = [...groups].map(([key, alerts]) => {
    const state = [...alerts].some((alert) => firing.has(alert)) ? 'open' : 'resolved'
    return [key, { alerts, state }] as const
  })
  return { groups: new Map(finished), occurrences }
}
