import { CodecError, decodeChange } from '../schemas/codec.ts'
import { encodeDetectRecord } from '../schemas/detect.ts'
import { partitionOf } from '../schemas/ids.ts'
import type { Incident } from '../schemas/incident.ts'
import { deviceKey, namedDevice } from '../schemas/sample.ts'
import type { PartitionFold, Step } from './fold.ts'
import type { Append, LogEntry, Position } from './ports.ts'

export interface RestFoldParts {
  readonly entity_labels: readonly string[]
  readonly samples_partitions: number
}

const OPEN: ReadonlySet<Incident['state']> = new Set(['open', 'acknowledged', 'mitigated'])

/**
 * Tells the detectors of a device that an incident has alerts about it, and when that is over: what a machine shows while it is ill is not
 * what is usual of it. Kept: for each open incident the devices that were told.
 */
export class RestFold implements PartitionFold {
  private readonly parts: RestFoldParts
  private readonly told = new Map<string, readonly string[]>()

  constructor(parts: RestFoldParts) {
    this.parts = parts
  }

  restore(key: string, value: Buffer): void {
    this.told.set(key, JSON.parse(value.toString()) as string[])
  }

  async restored(position: Position | null): Promise<Position> {
    return position ?? 0
  }

  fold(entries: readonly LogEntry[]): Step {
    const publish: Append[] = []
    const put = new Map<string, Buffer>()
    const gone = new Set<string>()
    for (const { value } of entries) {
      const incident = incidentOf(value)
      if (incident === null) continue
      const before = this.told.get(incident.id) ?? []
      const now = OPEN.has(incident.state) ? [...new Set([...before, ...this.devicesOf(incident)])] : []
      if (now.length === before.length) continue
      const turned = OPEN.has(incident.state) ? now.slice(before.length) : before
      for (const device of turned) publish.push(this.entryOf(incident.id, device, now.length > 0))
      put.delete(incident.id)
      gone.delete(incident.id)
      if (now.length === 0) {
        this.told.delete(incident.id)
        gone.add(incident.id)
      } else {
        this.told.set(incident.id, now)
        put.set(incident.id, Buffer.from(JSON.stringify(now)))
      }
    }
    return { publish, put, delete: gone }
  }

  dueAt(): null {
    return null
  }

  onDue(): null {
    return null
  }

  async close(): Promise<void> {}

  /** Of the members that the summary lists. */
  private devicesOf({ scope, members }: Incident): string[] {
    return members.flatMap(({ labels }) => {
      const device = namedDevice(labels, this.parts.entity_labels)
      return device === null ? [] : [deviceKey(scope, device)]
    })
  }

  private entryOf(id: string, device: string, resting: boolean): Append {
    return {
      topic: 'samples',
      partition: partitionOf(device, this.parts.samples_partitions),
      value: encodeDetectRecord({ kind: 'rest', id, device, resting }),
    }
  }
}

/** What cannot be read is the business of those who tell it. */
function incidentOf(value: Buffer): Incident | null {
  try {
    return decodeChange(value).incident
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return null
  }
}
