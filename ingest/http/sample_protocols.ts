import type { SampleFormat } from '../../schemas/source_formats.ts'
import { REMOTE_WRITE } from './remote_write.ts'
import { PLAIN, type SampleProtocol } from './samples.ts'

const PROTOCOLS: Readonly<Partial<Record<SampleFormat, SampleProtocol>>> = {
  'prometheus-remote-write': REMOTE_WRITE,
}

export function protocolOf(format: SampleFormat): SampleProtocol {
  return PROTOCOLS[format] ?? PLAIN
}
