/** What is known of one entity within one incident; the caller builds it as members join. */
export interface EntityEvidence {
  readonly entity: string
  /** Its distinct alerts by alertname: how many, and when the first fired. */
  readonly alertnames: ReadonlyMap<string, { readonly alerts: number; readonly first_at_ms: number }>
  /** Other entities that its alerts name (a service, a host, the far end of a call), with the number of alerts that do. */
  readonly mentions: ReadonlyMap<string, number>
  readonly first_at_ms: number
}

/**
 * One end of a typed edge. `toward: 'dependency'`: the entity that was asked about depends on `to`. What is an instance of
 * a service, or hosted on a machine, depends on it.
 */
export interface Edge {
  readonly to: string
  readonly kind: string
  readonly toward: 'dependency' | 'dependent'
}

export interface Graph {
  /** The edges of an entity in both directions, always in the same order; none for one that is unknown. A hub may give a part of them. */
  edges(entity: string): readonly Edge[]
}

/** Something that people or machines did to an entity: a deployment, a change of its configuration. */
export interface ChangeEvent {
  readonly entity: string
  readonly at_ms: number
  /** As it is shown: "checkout 2.14.0 deployed". */
  readonly text: string
}

export interface RankedCause {
  readonly entity: string
  /** Evidence in natural logarithms of odds, to three decimals: comparable within one ranking, not across incidents. */
  readonly score: number
  /** Sentences that operators read, the weightiest first. */
  readonly reasons: readonly string[]
}

/** What is read beyond these is left out: rankings stay below a few milliseconds whatever arrives. */
export const RANK_LIMITS = {
  entities: 200,
  /** Alertnames of one entity: the first, of which the most surprising count. */
  alertnames_read: 64,
  alertnames_weighed: 8,
  mentions: 8,
  /** Edges of one entity toward what it depends on, and edges read of one entity in all. */
  dependencies: 16,
  edges: 1_000,
  changes: 100,
} as const
