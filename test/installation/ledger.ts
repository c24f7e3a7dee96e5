import type { Change } from '../../schemas/change.ts'
import { replayLog } from '../reference/replay.ts'
import { keyOf } from '../reference/groups.ts'
import { readTopic } from './topic.ts'

/** What an incident came to by its changes. */
export interface Told {
  /** Key of its group. */
  group: string
  state: string
  revision: number
  severity: string
  /** Identities of the alerts that joined it. */
  readonly alerts: Set<string>
}

/** Both logs from their first entry to their last: what was published, and by the replay what had to be. */
export class Ledger {
  /** Change id → bytes, repeats removed, in the order of each partition. */
  readonly changes = new Map<string, Buffer>()
  /** The same by the replay of the alerts log. */
  readonly due = new Map<string, Buffer>()
  /** Ids under which other bytes were published before. */
  readonly contradictions: string[] = []
  /** Changes whose revision is not the next one of its incident. */
  readonly gaps: string[] = []
  readonly incidents = new Map<string, Told>()
  readonly unassigned: string[] = []
  /** Entries of the incidents log, repeats included. */
  published = 0

  /** `ends`: next offset of each partition of a topic; the topics' names begin with `prefix`. */
  static async read(
    brokers: readonly string[],
    prefix: string,
    ends: (topic: string) => Promise<readonly number[]>,
  ): Promise<Ledger> {
    const ledger = new Ledger()
    const replays = new Map<number, ReturnType<typeof replayLog>>()
    const [alerts, incidents] = [`${prefix}alerts`, `${prefix}incidents`]
    await readTopic(brokers, alerts, await ends(alerts), (partition, entry) => {
      const replay = replays.get(partition) ?? replayLog(partition)
      replays.set(partition, replay)
      for (const { id, bytes } of replay.take(entry)) ledger.due.set(id, bytes)
    })
    for (const { unassigned } of replays.values()) ledger.unassigned.push(...unassigned)
    await readTopic(brokers, incidents, await ends(incidents), (_, { value }) => ledger.take(value))
    return ledger
  }

  /** Ids of changes that were published and do not follow from the alerts log, or the other way, or with other bytes. */
  differences(): string[] {
    const ids = new Set([...this.changes.keys(), ...this.due.keys()])
    return [...ids].filter((id) => {
      const [published, due] = [this.changes.get(id), this.due.get(id)]
      return published === undefined || due === undefined || !published.equals(due)
    })
  }

  private take(bytes: Buffer): void {
    const change = JSON.parse(bytes.toString()) as Change
    this.published++
    const before = this.changes.get(change.id)
    if (before !== undefined) {
      if (!before.equals(bytes)) this.contradictions.push(change.id)
      return
    }
    this.changes.set(change.id, bytes)
    const { incident, memberships } = change
    const told = this.incidents.get(incident.id) ?? {
      group: '',
      state: '',
      revision: 0,
      severity: '',
      alerts: new Set<string>(),
    }
    if (change.revision !== told.revision + 1) this.gaps.push(change.id)
    for (const { labels } of memberships.joined) told.alerts.add(keyOf(labels))
    const { state, revision, severity, group } = incident
    this.incidents.set(incident.id, Object.assign(told, { group: keyOf(group), state, revision, severity }))
  }
}
