import { isDeepStrictEqual, parseArgs } from 'node:util'
import { Misconfigured } from '../../runtime/errors.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { unaccounted } from '../ingest/accounted.ts'
import { Random } from '../simulator/random.ts'
import { DECODERS, type Fuzzed } from './decoders.ts'
import { mutated } from './mutate.ts'

/**
 * Gives decoders messages that were changed at random: none throws, each gives the same twice, everything of a message ends as an alert or a
 * reject with a reason, none takes long, and nothing is left in the prototypes. The same seed and case play the same message again.
 */

const USAGE = 'npm run fuzz -- [--decoder NAME]… [--minutes N] [--seed S] [--case N]'
const AT_MS = Date.UTC(2026, 10, 25, 12)
/** More time of the processor, for a message of that size, means that the work grows faster than what is given. */
const SLOW_MS = 2_000
const SLOW_MS_PER_MB = 500
/** Nothing larger gets to a decoder. */
const BYTES_MAX = LIMITS.http_body_bytes

const { values } = parseArgs({
  options: {
    decoder: { type: 'string', multiple: true },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    case: { type: 'string' },
  },
})

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function numberOf(name: string, text: string | undefined, standard: number): number {
  const value = text === undefined ? standard : Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new Misconfigured('option', `--${name} is ${JSON.stringify(text)}; it takes a number. ${USAGE}`)
}

/** What is wrong with how the message of this case is read; null when nothing is. */
function faultOf({ decode, seeds }: Fuzzed, seed: number, number: number): string | null {
  const random = new Random(seed, String(number))
  const { body, headers } = random.pick(seeds)
  const message = { body: mutated(body, random).subarray(0, BYTES_MAX), headers, at_ms: AT_MS }
  const slow_ms = SLOW_MS + (message.body.length / 1e6) * SLOW_MS_PER_MB
  // Of this process alone: others may keep it waiting.
  const began = process.cpuUsage()
  try {
    const decoded = decode(message)
    const { user, system } = process.cpuUsage(began)
    const took_ms = (user + system) / 1_000
    if (took_ms > slow_ms) return `it took ${Math.round(took_ms)} ms for ${message.body.length} bytes`
    const found = unaccounted(decoded)
    if (found !== null) return `not accounted for: ${JSON.stringify(found).slice(0, 1_000)}`
    if (!isDeepStrictEqual(decode(message), decoded)) return 'read twice it gave something else'
    const polluted = Object.keys(Object.prototype).concat(Object.keys(Array.prototype))
    return polluted.length === 0 ? null : `left in the prototypes: ${polluted.join(', ')}`
  } catch (error) {
    return `it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}

function fuzz(name: string, fuzzed: Fuzzed, seed: number, minutes: number): boolean {
  const ends_ms = performance.now() + minutes * 60_000
  let number = 0
  for (; performance.now() < ends_ms; number++) {
    const fault = faultOf(fuzzed, seed, number)
    if (fault === null) continue
    print(`${name}: ${fault}\n  again: npm run fuzz -- --decoder ${name} --seed ${seed} --case ${number}`)
    return false
  }
  print(`${name}: ${number} messages in ${minutes} minutes (seed ${seed}), no fault`)
  return true
}

function main(): void {
  const seed = numberOf('seed', values.seed, Date.now() % 1_000_000)
  const minutes = numberOf('minutes', values.minutes, 1)
  const wanted = values.decoder ?? Object.keys(DECODERS)
  let faultless = true
  for (const name of wanted) {
    const fuzzed = DECODERS[name]
    if (fuzzed === undefined)
      throw new Misconfigured(
        'option',
        `--decoder ${name}: one of ${Object.keys(DECODERS).join(', ')}. ${USAGE}`,
      )
    if (values.case === undefined) faultless = fuzz(name, fuzzed, seed, minutes) && faultless
    else print(`${name}: ${faultOf(fuzzed, seed, numberOf('case', values.case, 0)) ?? 'no fault'}`)
  }
  process.exitCode = faultless ? 0 : 1
}

try {
  main()
} catch (error) {
  if (!(error instanceof Misconfigured)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
