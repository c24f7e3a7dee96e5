import { parseArgs } from 'node:util'
import { Misconfigured } from '../../runtime/errors.ts'
import { DEFECTS, NO_DEFECT, type Defect } from './defects.ts'
import { failureText } from './report.ts'
import { run } from './run.ts'

const USAGE = 'npm run simulate -- --seed N | --seeds N [--from S]   [--defect NAME] [--all]'
const PROGRESS_MS = 5_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string' },
    defect: { type: 'string' },
    all: { type: 'boolean' },
  },
})

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new Misconfigured(
      'option',
      `--${name} is ${JSON.stringify(text)}; it takes a whole number. ${USAGE}`,
    )
  return Number(text)
}

function defectOf(name: string | undefined): Defect {
  const found = name === undefined ? NO_DEFECT : DEFECTS[name]
  if (found === undefined)
    throw new Misconfigured(
      'option',
      `--defect is ${JSON.stringify(name)}; there are ${Object.keys(DEFECTS).join(', ')}`,
    )
  return found
}

/** Plays seed after seed until one fails; tells how far it is now and then. */
async function many(from: number, count: number, defect: Defect): Promise<boolean> {
  const began_ms = performance.now()
  let told_ms = began_ms
  let steps = 0
  for (let played = 0; played < count; played++) {
    const seed = from + played
    const done = await run(seed, defect)
    steps += done.steps
    const now_ms = performance.now()
    const rate = () =>
      `${played + 1} seeds, ${((played + 1) / ((now_ms - began_ms) / 1_000)).toFixed(1)} seeds/s, ${Math.round(steps / (played + 1))} steps each`
    if (done.violation !== null) {
      print(failureText(seed, values.defect, done))
      print(rate())
      return false
    }
    if (played + 1 < count && now_ms - told_ms < PROGRESS_MS) continue
    told_ms = now_ms
    print(`${rate()}, none fails`)
  }
  return true
}

async function one(seed: number, defect: Defect): Promise<boolean> {
  const done = await run(seed, defect)
  if (values.all === true) print(done.world.lines().join('\n'))
  print(failureText(seed, values.defect, done))
  return done.violation === null
}

try {
  const defect = defectOf(values.defect)
  if (values.seed === undefined && values.seeds === undefined) throw new Misconfigured('option', USAGE)
  const holds =
    values.seed === undefined
      ? await many(whole('from', values.from ?? '1'), whole('seeds', values.seeds ?? ''), defect)
      : await one(whole('seed', values.seed), defect)
  process.exitCode = holds ? 0 : 1
} catch (error) {
  if (!(error instanceof Misconfigured)) throw error
  print(error.message)
  process.exitCode = 2
}
