import type { FastifyPluginAsync } from 'fastify'
import { maySendAlerts } from '../api/auth.ts'
import { alertmanagerIngest } from '../ingest/http/alertmanager.ts'
import { cloudeventsIngest } from '../ingest/http/cloudevents.ts'
import { pagerdutyIngest } from '../ingest/http/pagerduty.ts'
import { type HttpSource, httpSources } from '../ingest/http/sources.ts'
import type { TakingParts } from '../ingest/http/take.ts'
import type { Verification } from '../ingest/http/verify.ts'
import { sourceDecoder } from '../ingest/source_decoder.ts'
import type { HttpSourceConfig } from '../schemas/config.ts'
import { EXPIRE_AFTER_MS } from '../schemas/source_formats.ts'
import type { Loaded } from './config.ts'
import type { Running } from './service_parts.ts'

/** Everything that takes alerts over HTTP. Throws Misconfigured when a secret is missing. */
export function ingestRoutes(
  loaded: Loaded,
  parts: TakingParts & Pick<Running, 'observation'>,
): readonly FastifyPluginAsync[] {
  const { config, rules } = loaded
  const sources = config.sources.flatMap((source) =>
    source.kind === 'http' ? [httpSource(loaded, source)] : [],
  )
  for (const { name } of sources) parts.observation.source(name, 'http')
  return [
    alertmanagerIngest({ ...parts, resolve_timeout_ms: rules.resolve_timeout_ms }),
    pagerdutyIngest({
      ...parts,
      maySend: (routing_key) => maySendAlerts(config.api.tokens, routing_key),
      expire_after_ms: EXPIRE_AFTER_MS,
    }),
    cloudeventsIngest(parts),
    httpSources(parts, sources),
  ]
}

function httpSource({ secret }: Loaded, source: HttpSourceConfig): HttpSource {
  const { name, verify } = source
  return {
    name,
    decode: sourceDecoder(source),
    verification: verify ? verification(verify, secret(verify.secret)) : null,
  }
}

function verification(verify: NonNullable<HttpSourceConfig['verify']>, secret: string): Verification {
  const { scheme, header, query, prefix, encoding } = verify
  if (scheme === 'token') return { scheme, secret, header: header ?? null, query: query ?? null, prefix }
  return { scheme, secret, header: header ?? '', prefix, encoding }
}
