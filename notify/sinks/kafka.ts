import { Reject, Retryable } from '../../runtime/errors.ts'
import type { TopicPublisher } from '../../runtime/ports.ts'
import type { Action, Result, SinkPolicy, Summary } from '../delivery.ts'
import { incidentLink, type KafkaSinkConfig, type Sink, type SinkWorld, type Telling } from './sink.ts'

const UPDATE_INTERVAL_MS = 1_000

/**
 * A topic of a MES or whoever else listens: each delivery is a work alert as ISA-95 has it, in the JSON of B2MML, under the key of the
 * incident. A crash may say a revision twice; it has the same BODID then.
 */
export class KafkaSink implements Sink {
  readonly policy: SinkPolicy
  private readonly topic: string
  private readonly world: SinkWorld
  private readonly config: KafkaSinkConfig
  private publisher: Promise<TopicPublisher> | null = null

  constructor(config: KafkaSinkConfig, world: SinkWorld) {
    this.topic = config.topic
    this.world = world
    this.config = config
    this.policy = {
      sink: config.name,
      min_severity: config.min_severity,
      update_interval_ms: UPDATE_INTERVAL_MS,
      create_timeout_ms: config.timeout_ms,
      attempt_timeout_ms: config.timeout_ms,
      settle_ms: 0,
      idempotent: true,
      silent: ['command-refused'],
    }
  }

  async deliver(action: Action, { summary }: Telling): Promise<Result> {
    // Readers drop what they have had by its BODID, so nothing is ever in doubt here.
    if (action === 'look-up') return { kind: 'absent' }
    this.publisher ??= this.world.publisher(this.config)
    try {
      const publisher = await this.publisher
      await publisher.publish({
        topic: this.topic,
        key: summary.incident_id,
        value: Buffer.from(JSON.stringify(workAlert(action, summary, this.world))),
        headers: { 'content-type': 'application/json', 'change-id': summary.change_id },
      })
      return { kind: 'ok', external_id: null, url: null }
    } catch (error) {
      if (error instanceof Reject) return { kind: 'refused', code: error.code, status: null }
      if (!(error instanceof Retryable)) throw error
      return { kind: 'retry', code: error.code, status: null, retry_after_ms: null, not_done: false }
    }
  }

  close(): void {
    void this.publisher?.then((publisher) => publisher.close())
  }
}

/** Verbs of B2MML's transactions. A closed alert stays one that is known; its state says that it is over. */
const ACTION_CODES = { create: 'Add', update: 'Change', close: 'Change', reopen: 'Change' } as const

function workAlert(action: Exclude<Action, 'look-up'>, summary: Summary, world: SinkWorld): unknown {
  const { incident_id, change_id, at_ms, group, members, severity, state } = summary
  const entities = [...new Set(members.map(({ entity }) => entity).filter((entity) => entity !== ''))]
  return {
    SyncWorkAlert: {
      ApplicationArea: {
        Sender: { LogicalID: world.public_url, ComponentID: 'tocsin' },
        CreationDateTime: new Date(at_ms).toISOString(),
        BODID: change_id,
      },
      DataArea: {
        Sync: { ActionCriteria: [{ ActionExpression: [{ actionCode: ACTION_CODES[action] }] }] },
        WorkAlert: [
          {
            ID: incident_id,
            Description: [summary.title, summary.reason],
            HierarchyScope: { EquipmentID: group['equipment'] ?? entities[0] ?? '' },
            Priority: severity,
            Category: state,
            TimeStamp: new Date(summary.opened_at_ms).toISOString(),
            WorkAlertProperty: [
              property('scope', summary.scope),
              property('entities', entities.join(', ')),
              property('alerts', String(summary.members_total)),
              property('alerts_firing', String(summary.members_firing)),
              property('suppressed', String(summary.suppressed)),
              property('change', summary.kind),
              property('revision', String(summary.revision)),
              property('link', incidentLink(world, incident_id)),
              ...Object.entries(group).map(([name, value]) => property(`label.${name}`, value)),
            ],
          },
        ],
      },
    },
  }
}

const property = (id: string, value: string) => ({ ID: id, Value: [{ ValueString: value }] })
