import type { FastifyPluginAsync } from 'fastify'
import { maySendAlerts } from '../api/auth.ts'
import type { BuiltIn } from '../ingest/http/built_in.ts'
import { Admission } from '../ingest/http/admission.ts'
import { alertmanagerIngest } from '../ingest/http/alertmanager.ts'
import { cloudeventsIngest } from '../ingest/http/cloudevents.ts'
import { opsgenieIngest } from '../ingest/http/opsgenie.ts'
import { otlpLogsIngest } from '../ingest/http/otlp_logs.ts'
import { otlpMetricsIngest } from '../ingest/http/otlp_metrics.ts'
import { pagerdutyIngest } from '../ingest/http/pagerduty.ts'
import { remoteWriteIngest } from '../ingest/http/remote_write.ts'
import { protocolOf } from '../ingest/http/sample_protocols.ts'
import type { SampleHttpSource, SampleTakingParts } from '../ingest/http/samples.ts'
import { type HttpSource, httpSources } from '../ingest/http/sources.ts'
import type { TakingParts } from '../ingest/http/take.ts'
import { readFromSns, SnsProof } from '../ingest/http/sns.ts'
import { type Proof, secretProof } from '../ingest/http/verify.ts'
import { trialRoute } from '../ingest/http/trial.ts'
import { Intake } from '../ingest/intake.ts'
import { makeNormaliser } from '../ingest/normalise.ts'
import { SignsOfLife } from '../ingest/signs_of_life.ts'
import { isSampleSource, sampleDecoder } from '../ingest/samples/formats.ts'
import { SampleIntake } from '../ingest/samples/intake.ts'
import { triedSampleSources } from '../ingest/samples/trial.ts'
import { afterDecoding, isAlertSource, sourceDecoder } from '../ingest/source_decoder.ts'
import { triedSources } from '../ingest/trial.ts'
import type { Config, HttpSourceConfig } from '../schemas/config.ts'
import { LIMITS } from '../schemas/limits.ts'
import { EXPIRE_AFTER_MS, FORMATS_WITH_SECRETS } from '../schemas/source_formats.ts'
import type { Loaded } from './config.ts'
import type { Clock } from './ports.ts'
import type { Running } from './service_parts.ts'
import type { World } from './wire.ts'

/** What takes alerts and readings in, whatever way they came, and hears that their sources live. */
export function makeIntakes(
  parts: Pick<World, 'log'> &
    Pick<Running, 'observation' | 'tracing'> & { readonly clock: Clock; readonly config: Config },
): Pick<Running, 'intake' | 'sample_intake'> {
  const { log, clock, config, observation, tracing } = parts
  const { heartbeats } = config.rules
  const signs = new SignsOfLife({ log, clock, normalise: makeNormaliser(config), heartbeats })
  const accepted = (source: string, alerts: number) => {
    observation.accepted(source, alerts)
    void signs.heard(source)
  }
  const rejected = (source: string, code: string) => observation.rejected(source, code)
  const sampled = (source: string, samples: number, dropped: number) => {
    observation.sampled(source, samples, dropped)
    void signs.heard(source)
  }
  return {
    intake: new Intake({ log, config, tracing, observer: { accepted, rejected } }),
    sample_intake: new SampleIntake({ log, config, tracing, observer: { sampled, rejected } }),
  }
}

/** Everything that takes alerts over HTTP. Throws Misconfigured when a secret is missing. */
export function ingestRoutes(
  loaded: Loaded,
  given: TakingParts & Pick<Running, 'observation' | 'tables' | 'sample_intake'>,
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
    remoteWriteIngest(parts),
    otlpMetricsIngest(parts),
    httpSources(parts, sources),
    trialRoute(parts, triedSources(config, parts.tables.lookup), triedSampleSources(config)),
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
  parts: SampleTakingParts & Pick<Running, 'tables' | 'observation'>,
): HttpSource | SampleHttpSource {
  const { name, verify } = source
  const { clock, sample_intake, tables, observation } = parts
  const proof = verify ? proofOf(verify, secret, clock) : null
  const bounds = {
    admission: new Admission(source),
    refused: (code: string) => observation.rejected(name, code),
  }
  if (isSampleSource(source)) {
    const protocol = protocolOf(source.format)
    return { clock, sample_intake, name, proof, ...bounds, decode: sampleDecoder(source), protocol }
  }
  if (!isAlertSource(source)) throw new Error(`no format ${source.format} is known`)
  return {
    name,
    decode: sourceDecoder(source, { scope_labels: config.scope.labels, lookup: tables.lookup }),
    ...bounds,
    has_secrets: FORMATS_WITH_SECRETS.has(source.format),
    proof,
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
