import { RE2JS } from 're2js'
import { Retryable } from '../../errors.ts'
import type { Subscription, TopicSource } from '../../ports.ts'
import { Connection, type KafkaAccess } from './connection.ts'
import { asRetryable, within } from './faults.ts'
import { KafkaSource } from './source.ts'

const LOOK_EVERY_MS = 30_000
const TIMEOUT_MS = 10_000

export interface TopicPattern {
  /** RE2; the whole name matches. */
  readonly pattern: string
  /** Topics whose names begin with it are never among them: those of this program. */
  readonly own_prefix: string | null
  readonly look_every_ms?: number
}

interface Followed {
  readonly topics: readonly string[]
  readonly group: string
  readonly handle: Parameters<TopicSource['consume']>[2]
  /** What is subscribed at the moment. */
  readonly open: { subscription: Subscription | null }
}

/** Reads the topics that match a pattern as well as those that are named; topics that are made later are found within half a minute. */
export class PatternSource implements TopicSource {
  private readonly access: KafkaAccess
  private readonly source: KafkaSource
  private readonly pattern: RE2JS
  private readonly settings: TopicPattern

  constructor(access: KafkaAccess, session_timeout_ms: number, settings: TopicPattern) {
    this.access = access
    this.source = new KafkaSource(access, session_timeout_ms)
    this.settings = settings
    this.pattern = RE2JS.compile(settings.pattern)
  }

  consume(
    topics: readonly string[],
    group: string,
    handle: Parameters<TopicSource['consume']>[2],
  ): Promise<Subscription> {
    const closing = new AbortController()
    const open: { subscription: Subscription | null } = { subscription: null }
    const following = this.follow({ topics, group, handle, open }, closing.signal)
    return Promise.resolve({
      async close() {
        closing.abort()
        await following
      },
      lag: async () => (await open.subscription?.lag?.()) ?? 0,
    })
  }

  ping(): Promise<void> {
    return this.source.ping()
  }

  /** Subscribes anew whenever the topics are others. What was in hand at the change is given again. */
  private async follow({ topics, group, handle, open }: Followed, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.access
    let subscribed: readonly string[] = []
    while (!signal.aborted) {
      const found = await this.matching().catch((error: unknown) => {
        if (!(error instanceof Retryable)) throw error
        logger.warn({ code: error.code, group }, error.message)
        return null
      })
      const wanted = [...new Set([...topics, ...(found ?? subscribed)])].sort()
      if (found !== null && wanted.join(' ') !== subscribed.join(' ')) {
        logger.info({ group, topics: wanted }, 'the topics that match the pattern')
        await open.subscription?.close()
        open.subscription = wanted.length === 0 ? null : await this.source.consume(wanted, group, handle)
        subscribed = wanted
      }
      await clock.sleep(this.settings.look_every_ms ?? LOOK_EVERY_MS, signal)
    }
    await open.subscription?.close()
  }

  /** Throws Retryable. */
  private async matching(): Promise<readonly string[]> {
    const connection = new Connection(this.access, 'brisk')
    const admin = connection.kafka.admin()
    try {
      const names = await within(
        admin.connect().then(() => admin.listTopics()),
        TIMEOUT_MS,
        this.access.clock,
        'listing topics',
      )
      return names.filter((name) => this.isMeant(name))
    } catch (error) {
      throw asRetryable(error, 'listing topics')
    } finally {
      connection.end()
    }
  }

  private isMeant(name: string): boolean {
    const { own_prefix } = this.settings
    return (
      !name.startsWith('__') && !(own_prefix && name.startsWith(own_prefix)) && this.pattern.matches(name)
    )
  }
}
