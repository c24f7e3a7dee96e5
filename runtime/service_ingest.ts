import type { FastifyPluginAsync } from 'fastify'
import { maySendAlerts } from '../api/auth.ts'
import type { BuiltIn } from '../ingest/http/built_in.ts'
import { Admission } from '../ingest/http/admission.ts'
import { alertmanagerIngest } from '../ingest/http/alertmanager.ts'
import { cloudeventsIngest } from '../ingest/http/cloudevents.ts'
import { opsgenieIngest } from '../ingest/http/opsgenie.ts'
import { otlpLogsIngest } from '../ingest/http/otlp_logs.ts'
import { pagerdutyIngest } from '../ingest/http/pagerduty.ts'
import { type HttpSource, httpSources } from '../ingest/http/sources.ts'
import type { TakingParts } from '../ingest/http/take.ts'
import { readFromSns, SnsProof } from '../ingest/http/sns.ts'
import { type Proof, secretProof } from '../ingest/http/verify.ts'
import { trialRoute } from '../ingest/http/trial.ts'
import { afterDecoding, sourceDecoder } from '../ingest/source_decoder.ts'
import { Intake } from '../ingest/intake.ts'
import { makeNormaliser } from '../ingest/normalise.ts'
import { SignsOfLife } from '../ingest/signs_of_life.ts'
import { triedSources } from '../ingest/trial.ts'
import type { Config, HttpSourceConfig } from '../schemas/config.ts'
import { LIMITS } from '../schemas/limits.ts'
import { EXPIRE_AFTER_MS, FORMATS_WITH_SECRETS } from '../schemas/source_formats.ts'
import type { Loaded } from './config.ts'
import type { Clock } from './ports.ts'
import type { Running } from './service_parts.ts'
import type { World } from './wire.ts'

/** What takes alerts in, whatever way they came, and hears that its sources live. */
export function makeIntake(
  parts: Pick<World, 'log'> &
    Pick<Running, 'observation' | 'tracing'> & { readonly clock: Clock; readonly config: Config },
): Intake {
  const { log, clock, config, observation, tracing } = parts
  const { heartbeats } = config.rules
  const signs = new SignsOfLife({ log, clock, normalise: makeNormaliser(config), heartbeats })
  const accepted = (source: string, alerts: number) => {
    observation.accepted(source, alerts)
    void signs.heard(source)
  }
  const rejected = (source: string, code: string) => observation.rejected(source, code)
  return new Intake({ log, config, tracing, observer: { accepted, rejected } })
}

/** Everything that takes alerts over HTTP. Throws Misconfigured when a secret is missing. */
export function ingestRoutes(
  loaded: Loaded,
  given: TakingParts & Pick<Running, 'observation' | 'tables'>,
): readonly FastifyPluginAsync[] {
  const { config, rules } = loaded
  const sources = config.sources.flatMap((source) =>
    source.kind === 'http' ? [httpSource(loaded, source, given)] : [],
  )
  for (const { name } of sources) given.observation.source(name, 'http')
  const built_in = builtIns(loaded, given)
  const parts = { ...given, built_in }
  return [
    alertmanagerIngest({ ...parts, resolve_timeout_ms: rules.resolve_timeout_ms }),
    pagerdutyIngest({
      ...parts,
      maySend: (routing_key) => maySendAlerts(config.api.tokens, routing_key),
      expire_after_ms: EXPIRE_AFTER_MS,
    }),
    opsgenieIngest(parts),
    otlpLogsIngest(parts),
    cloudeventsIngest(parts),
    httpSources(parts, sources),
    trialRoute(parts, triedSources(config, parts.tables.lookup)),
  ]
}

/** What the configuration says of sources that have addresses of their own. */
function builtIns(
  { config }: Loaded,
  { tables, observation }: Pick<Running, 'tables' | 'observation'>,
): ReadonlyMap<string, BuiltIn> {
  const decoding = { scope_labels: config.scope.labels, lookup: tables.lookup }
  return new Map(
    config.built_in_sources.map((source): [string, BuiltIn] => {
      const is_changed = source.relabel !== undefined || Object.keys(source.labels).length > 0
      return [
        source.name,
        {
          after: is_changed ? afterDecoding(source, decoding) : null,
          admission: new Admission({ ...source, max_body_bytes: LIMITS.http_body_bytes }),
          refused: (code) => observation.rejected(source.name, code),
        },
      ]
    }),
  )
}

function httpSource(
  { secret, config }: Loaded,
  source: HttpSourceConfig,
  { clock, tables, observation }: { readonly clock: Clock } & Pick<Running, 'tables' | 'observation'>,
): HttpSource {
  const { name, verify } = source
  return {
    name,
    decode: sourceDecoder(source, { scope_labels: config.scope.labels, lookup: tables.lookup }),
    admission: new Admission(source),
    refused: (code) => observation.rejected(name, code),
    has_secrets: FORMATS_WITH_SECRETS.has(source.format),
    proof: verify ? proofOf(verify, secret, clock) : null,
  }
}

function proofOf(
  verify: NonNullable<HttpSourceConfig['verify']>,
  secretOf: Loaded['secret'],
  clock: Clock,
): Proof {
  const { scheme, header, query, prefix, encoding, topics } = verify
  if (scheme === 'sns')
    return new SnsProof({ get: readFromSns, now: () => clock.now(), topics: topics ?? [] })
  const secret = verify.secret === undefined ? '' : secretOf(verify.secret)
  if (scheme === 'token')
    return secretProof({ scheme, secret, header: header ?? null, query: query ?? null, prefix })
  return secretProof({ scheme, secret, header: header ?? '', prefix, encoding })
}
