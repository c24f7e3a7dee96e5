import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Entry, GROUP_DETECTORS, SERIES_DETECTORS, type Watcher } from '../../ingest/detect/catalogue.ts'
import type { Reading, Verdict } from '../../ingest/detect/detector.ts'
import type { Row } from '../../ingest/detect/multivariate.ts'
import { Misconfigured } from '../../runtime/errors.ts'
import type { ReadRow } from './rows.ts'

/** Which detector is asked for, and the file with its options. */
export interface Choice {
  readonly detector?: string
  readonly config?: string
}

/** The verdict about a row; null when it has no time. */
export type Judge = (row: ReadRow) => Verdict | null

/** A detector for so many columns. Throws Misconfigured with what is known and what fits. */
export function judgeOf(columns: number, choice: Choice): Judge {
  const { name, settings } = settingsOf(choice, columns > 1 ? 'multivariate' : 'novelty')
  if (columns > 1) {
    const watch = made(GROUP_DETECTORS, SERIES_DETECTORS, name, settings, columns, choice)
    return (row) => judgeGroup(watch, row)
  }
  const watch = made(SERIES_DETECTORS, GROUP_DETECTORS, name, settings, columns, choice)
  return (row) => judgeSeries(watch, row)
}

function judgeSeries(watch: Watcher<Reading>, { at_ms, values }: ReadRow): Verdict | null {
  const [value = Number.NaN] = values
  if (at_ms === null) return null
  return watch({ at_ms, value, quality: Number.isNaN(value) ? 'bad' : 'good' })
}

const judgeGroup = (watch: Watcher<Row>, { at_ms, values }: ReadRow): Verdict | null =>
  at_ms === null ? null : watch({ at_ms, values })

function settingsOf(choice: Choice, standard: string): { name: string; settings: Record<string, unknown> } {
  const parsed = choice.config === undefined ? {} : readSettings(choice.config)
  const { detector, ...settings } = parsed
  const named = typeof detector === 'string' ? detector : undefined
  return { name: choice.detector ?? named ?? standard, settings }
}

function readSettings(file: string): Record<string, unknown> {
  const refuse = (problem: string): never => {
    throw new Misconfigured('option-unusable', `--config ${file}: ${problem}`)
  }
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
  let found: unknown
  try {
    found = parse(text) ?? {}
  } catch {
    refuse('is neither YAML nor JSON')
  }
  const settings = z.record(z.string(), z.unknown()).safeParse(found)
  return settings.success
    ? settings.data
    : refuse('is expected to hold the options of the detector, one a line')
}

function made<Input>(
  fitting: Readonly<Record<string, Entry<Input>>>,
  others: Readonly<Record<string, unknown>>,
  name: string,
  settings: Record<string, unknown>,
  columns: number,
  choice: Choice,
): Watcher<Input> {
  const entry = Object.hasOwn(fitting, name) ? fitting[name] : undefined
  if (entry === undefined)
    throw new Misconfigured(
      'option-unusable',
      Object.hasOwn(others, name)
        ? `--detector ${name} does not fit ${columns === 1 ? 'one column: give several with --value' : `${columns} columns: give one with --value`}`
        : `--detector ${name} is not known; known are ${Object.keys(fitting).join(', ')}`,
    )
  try {
    return entry.make(settings, columns)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    const where =
      choice.config === undefined ? `--detector ${name} needs --config FILE` : `--config ${choice.config}`
    throw new Misconfigured(
      'option-unusable',
      `${where}: ${error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ')}. ` +
        `Options of ${name}: ${Object.keys(entry.options.shape).join(', ') || 'none'}`,
    )
  }
}
