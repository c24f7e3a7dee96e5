import type { FastifyPluginAsync } from 'fastify'
import { maySendAlerts } from '../api/auth.ts'
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
import { isSampleSource, sampleDecoder } from '../ingest/samples/formats.ts'
import { triedSampleSources } from '../ingest/samples/trial.ts'
import { isAlertSource, sourceDecoder } from '../ingest/source_decoder.ts'
import { triedSources } from '../ingest/trial.ts'
import type { HttpSourceConfig } from '../schemas/config.ts'
import { EXPIRE_AFTER_MS } from '../schemas/source_formats.ts'
import type { Loaded } from './config.ts'
import type { Clock } from './ports.ts'
import type { Running } from './service_parts.ts'

/** Everything that takes alerts over HTTP. Throws Misconfigured when a secret is missing. */
export function ingestRoutes(
  loaded: Loaded,
  parts: TakingParts & Pick<Running, 'observation' | 'sample_intake'>,
): readonly FastifyPluginAsync[] {
  const { config, rules } = loaded
  const sources = config.sources.flatMap((source) =>
    source.kind === 'http' ? [httpSource(loaded, source, parts)] : [],
  )
  for (const { name } of sources) parts.observation.source(name, 'http')
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
    trialRoute(parts, triedSources(config), triedSampleSources(config)),
  ]
}

function httpSource(
  { secret }: Loaded,
  source: HttpSourceConfig,
  parts: SampleTakingParts,
): HttpSource | SampleHttpSource {
  const { name, verify } = source
  const proof = verify ? proofOf(verify, secret, parts.clock) : null
  if (isSampleSource(source))
    return { ...parts, name, proof, decode: sampleDecoder(source), protocol: protocolOf(source.format) }
  if (!isAlertSource(source)) throw new Error(`no format ${source.format} is known`)
  return { name, proof, decode: sourceDecoder(source) }
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
