import type { Alert, Labels } from '../schemas/alert.ts'
import type { Config } from '../schemas/config.ts'
import { type Lookup, NO_TABLES } from '../schemas/expression.ts'
import { EXPIRE_AFTER_MS, SOURCE_FORMATS } from '../schemas/source_formats.ts'
import type { Normalise } from './batch.ts'
import { isAlertSource, type SourceDecoder, sourceDecoder } from './source_decoder.ts'
import type { SourceMessage } from './sources/format.ts'
import type { Acknowledgement, RawAlert, RejectedAlert } from './sources/raw_alert.ts'

/** An alert as it would be appended, its times as people read them. */
interface TriedAlert extends Omit<Alert, 'starts_at_ms' | 'ends_at_ms'> {
  readonly ordinal: number
  readonly identity?: Labels
  readonly starts_at: string
  /** Null: the resolve timeout ends it. */
  readonly ends_at: string | null
}

/** What a message would come to. Nothing is appended. */
export interface Trial {
  readonly alerts: readonly TriedAlert[]
  readonly rejects: readonly Pick<RejectedAlert, 'ordinal' | 'code' | 'reason'>[]
  readonly acknowledgements: readonly Acknowledgement[]
  readonly dropped: number
}

function shown(raw: RawAlert, alert: Alert): TriedAlert {
  const { starts_at_ms, ends_at_ms, ...others } = alert
  return {
    ordinal: raw.ordinal,
    ...others,
    ...(raw.identity && { identity: raw.identity }),
    starts_at: new Date(starts_at_ms).toISOString(),
    ends_at: ends_at_ms === null ? null : new Date(ends_at_ms).toISOString(),
  }
}

export function tryMessage(
  { name, decode }: { readonly name: string; readonly decode: SourceDecoder },
  normalise: Normalise,
  message: SourceMessage,
): Trial {
  const { alerts, rejects, acknowledgements = [], dropped = 0 } = decode(message)
  const taken: TriedAlert[] = []
  const refused = rejects.map(({ ordinal, code, reason }) => ({ ordinal, code, reason }))
  for (const raw of alerts) {
    const alert = normalise(raw, name)
    if ('reason' in alert) refused.push({ ordinal: raw.ordinal, ...alert })
    else taken.push(shown(raw, alert))
  }
  refused.sort((a, b) => a.ordinal - b.ordinal)
  return { alerts: taken, rejects: refused, acknowledgements, dropped }
}

/** The sources of the configuration, and the built-in formats under their own names, as far as no source has that. */
export function triedSources(
  { sources, built_in_sources, scope }: Pick<Config, 'sources' | 'built_in_sources' | 'scope'>,
  lookup: Lookup = NO_TABLES,
): ReadonlyMap<string, SourceDecoder> {
  const parts = { scope_labels: scope.labels, lookup }
  const built_in = SOURCE_FORMATS.map((format): [string, SourceDecoder] => {
    const said = built_in_sources.find(({ name }) => name === format)
    const source = { labels: {}, ...said, name: format, format, expire_after_ms: EXPIRE_AFTER_MS }
    return [format, sourceDecoder(source, parts)]
  })
  return new Map([
    ...built_in,
    ...sources.filter(isAlertSource).map((source) => [source.name, sourceDecoder(source, parts)] as const),
  ])
}
