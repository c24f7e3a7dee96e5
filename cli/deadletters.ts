import { environment, loadConfig } from '../runtime/config.ts'
import { TocsinClient } from './client.ts'

export interface DeadLettersOptions {
  readonly config?: string
  readonly url?: string
  readonly source?: string
  readonly code?: string
}

interface Letter {
  readonly id: string
  readonly at_ms: number
  readonly source: string
  readonly origin: string
  readonly code: string
  readonly reason: string
  readonly retriable: boolean
  readonly retried_at_ms: number | null
}

const PATH = '/api/v1/deadletters'

/** The tocsin that runs as the configuration says, or at `--url`. */
function clientOf({ config, url }: DeadLettersOptions): TocsinClient {
  const env = environment()
  return new TocsinClient(url ?? `http://${loadConfig(config, env).config.listen}`, env['TOCSIN_TOKEN'])
}

/** What was rejected, newest first, one line each. */
export async function listLetters(options: DeadLettersOptions & { readonly limit: string }): Promise<void> {
  const query = new URLSearchParams({ limit: options.limit })
  if (options.source !== undefined) query.set('source', options.source)
  if (options.code !== undefined) query.set('code', options.code)
  const found = await clientOf(options).get<{ letters: Letter[]; total: number; complete: boolean }>(
    `${PATH}?${query.toString()}`,
  )
  for (const letter of found.letters) console.log(lineOf(letter))
  console.error(`${found.letters.length} of ${found.total} dead letters${incomplete(found.complete)}.`)
}

function lineOf({ id, at_ms, source, origin, code, reason, retriable, retried_at_ms }: Letter): string {
  const state = retried_at_ms !== null ? 'retried' : retriable ? 'open' : 'not kept'
  return [new Date(at_ms).toISOString(), id, state.padEnd(8), source, origin, code, reason].join('  ')
}

const incomplete = (complete: boolean): string => (complete ? '' : ' (the log did not give all in time)')

/** One letter with what was received, as JSON. */
export async function showLetter(id: string, options: DeadLettersOptions): Promise<void> {
  console.log(JSON.stringify(await clientOf(options).get(`${PATH}/${encodeURIComponent(id)}`), null, 2))
}

interface Outcome {
  readonly passed: number
  readonly rejected: number
  readonly not_retriable: number
  readonly alerts: number
  readonly complete: boolean
  readonly letters: readonly { id: string; origin: string; outcome: string; reason: string }[]
}

/** Reads rejected messages again; status 1 when some are rejected still. */
export async function retryLetters(
  ids: readonly string[],
  options: DeadLettersOptions & { readonly dryRun?: true },
): Promise<void> {
  const { source, code, dryRun: dry_run = false } = options
  const asked = { ...(ids.length > 0 && { ids }), source, code, dry_run }
  const done = await clientOf(options).post<Outcome>(`${PATH}/retry`, asked)
  for (const { id, origin, outcome, reason } of done.letters)
    if (outcome !== 'passed') console.log(`${id}  ${outcome.padEnd(14)}  ${origin}  ${reason}`)
  const total = done.passed + done.rejected + done.not_retriable
  const verb = dry_run ? 'would pass' : 'passed'
  console.log(`${done.passed} of ${total} ${verb}, with ${done.alerts} alerts${incomplete(done.complete)}.`)
  process.exitCode = done.passed === total ? 0 : 1
}
