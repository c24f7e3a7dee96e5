import type { LogEntry, Topic } from '../../runtime/ports.ts'
import type { Change } from '../../schemas/change.ts'
import { decodeChange } from '../../schemas/codec.ts'
import { type DeadLetter, deadLetter } from '../../schemas/deadletter.ts'
import type { Reference } from './reference.ts'
import type { World } from './world.ts'

const CLOSED: ReadonlySet<string> = new Set(['resolved', 'reviewed', 'merged'])

/** Looks at every entry of every topic as soon as it is in the log. */
export class LogAudit {
  /** The newest revision of each incident in the incidents log. */
  readonly published = new Map<string, number>()
  readonly letters = new Map<string, DeadLetter>()
  /** Marks of alerts that are in the alerts log. */
  readonly marks = new Set<string>()
  private readonly world: World
  private readonly reference: Reference
  private readonly contents = new Map<string, Buffer>()
  private readonly times = new Map<string, number>()

  constructor(world: World, reference: Reference) {
    this.world = world
    this.reference = reference
  }

  entry(topic: Topic, partition: number, entry: LogEntry): void {
    const key = `${topic}/${partition}`
    if (entry.time_ms < (this.times.get(key) ?? 0))
      this.world.violate('9: log times never go back', `${key}@${entry.position}`)
    this.times.set(key, entry.time_ms)
    if (topic === 'alerts') {
      this.reference.entry(partition, entry)
      if (entry.value.includes('"mark"'))
        for (const [, mark] of entry.value.toString().matchAll(/"mark":"(\w+)"/g))
          this.marks.add(mark as string)
    } else if (topic === 'incidents') this.change(decodeChange(entry.value), entry.value)
    else this.letter(deadLetter.parse(JSON.parse(entry.value.toString())))
  }

  private change(change: Change, bytes: Buffer): void {
    const { id, incident, incident_id, revision } = change
    const known = this.contents.get(id)
    if (known !== undefined && !known.equals(bytes))
      this.world.violate('4: equal change ids carry equal content', `${id}: ${difference(known, bytes)}`)
    this.contents.set(id, bytes)
    if (
      CLOSED.has(incident.state) &&
      (incident.members_firing > 0 || incident.members.some((member) => member.firing))
    ) {
      this.world.violate('6: an incident is closed only when no member fires', `${id} is ${incident.state}`)
    }
    const newest = this.published.get(incident_id) ?? 0
    if (revision > newest + 1)
      this.world.violate('4: revisions are 1, 2, 3', `${id} is told after revision ${newest}`)
    this.published.set(incident_id, Math.max(newest, revision))
    const wanted = this.reference.changes.get(id)
    if (wanted === undefined)
      this.world.violate('5: the same log gives the same changes', `the reference fold knows no ${id}`)
    else if (!wanted.equals(bytes))
      this.world.violate('5: the same log gives the same changes', `${id}: ${difference(wanted, bytes)}`)
  }

  private letter(letter: DeadLetter): void {
    this.letters.set(letter.id, letter)
  }
}

/** The first place where two texts differ. */
export function difference(wanted: Buffer | string, found: Buffer | string): string {
  const [a, b] = [wanted.toString(), found.toString()]
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return `wanted …${a.slice(Math.max(0, at - 60), at + 60)}… found …${b.slice(Math.max(0, at - 60), at + 60)}…`
}
