import type { SampleFormat } from '../../schemas/source_formats.ts'
import { OTLP_METRICS } from './otlp_metrics.ts'
import { REMOTE_WRITE } from './remote_write.ts'
import { PLAIN, type SampleProtocol } from './samples.ts'

const PROTOCOLS: Readonly<Partial<Record<SampleFormat, SampleProtocol>>> = {
  'prometheus-remote-write': REMOTE_WRITE,
  'otlp-metrics': OTLP_METRICS,
}

export function protocolOf(format: SampleFormat): SampleProtocol {
  return PROTOCOLS[format] ?? PLAIN
}
