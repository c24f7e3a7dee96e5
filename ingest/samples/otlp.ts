import type { DecodeSamples, SampleMessage } from './format.ts'
import { binaryGathering, gathering } from './gathering.ts'
import { readOtlpJson } from './otlp_json.ts'
import { readOtlpProtobuf } from './otlp_protobuf.ts'

const OPENING_BRACE = 0x7b

/** Metrics of OpenTelemetry (OTLP) in JSON or protobuf. */
export function otlpMetrics(): DecodeSamples {
  const json = gathering(readOtlpJson)
  const protobuf = binaryGathering(readOtlpProtobuf)
  return (message) => (isJson(message) ? json(message) : protobuf(message))
}

/** A message of Kafka need not say; no protobuf of OTLP begins with a brace. */
function isJson({ headers, body }: SampleMessage): boolean {
  const type = headers['content-type'] ?? ''
  if (/^\s*application\/json\b/i.test(type)) return true
  return !/^\s*application\/x-protobuf\b/i.test(type) && body[0] === OPENING_BRACE
}
