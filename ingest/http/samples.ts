import type { Clock } from '../../runtime/ports.ts'
import type { DecodedSamples, RejectedSample } from '../samples/format.ts'
import type { SampleIntake } from '../samples/intake.ts'

export interface SampleTakingParts {
  readonly sample_intake: SampleIntake
  readonly clock: Clock
}

/** What one request brought, and where. */
export interface BroughtSamples {
  readonly source: string
  readonly route: string
  readonly at_ms: number
  readonly decoded: DecodedSamples
}

export interface TakenSamples {
  /** Readings that are durable. */
  readonly accepted: number
  readonly rejects: readonly RejectedSample[]
}

/** Resolves once everything of one request is durable. Throws Retryable. */
export async function takeSamples(
  { sample_intake }: Pick<SampleTakingParts, 'sample_intake'>,
  { source, route, at_ms, decoded }: BroughtSamples,
): Promise<TakenSamples> {
  const prepared = sample_intake.prepare({
    source,
    received_at_ms: at_ms,
    messages: [{ offset: null, decoded }],
    locate: (_offset, ordinal) => `http:POST ${route}#${ordinal}`,
  })
  return { accepted: prepared.samples_total, rejects: await sample_intake.take(prepared) }
}
