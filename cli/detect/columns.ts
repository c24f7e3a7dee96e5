import { Misconfigured } from '../../runtime/errors.ts'
import { timeOf, valueOf } from './cells.ts'

export interface Columns {
  /** Null: the rows are counted instead, a minute each. */
  readonly time: number | null
  readonly values: readonly number[]
  readonly names: readonly string[]
  /** Whether the first record is a reading already. */
  readonly headless: boolean
}

const TIME_NAME = /^(?:@?timestamp|time|date|date_?time|datetime|ts|at|at_ms|zeit|zeitstempel|_time)$/i
/** A column that only numbers the rows is a time of a kind, and no reading. */
const INDEX_NAME = /^(?:|#|index|idx|row|sample|step|unnamed: 0)$/i
const COLUMNS_MAX = 400

/** Which columns to read, by name or by number from 1. Throws Misconfigured with the columns that there are. */
export function chooseColumns(
  first: readonly string[],
  asked: { time: string | undefined; value: readonly string[] },
): Columns {
  const headless = first.every((field) => valueOf(field).kind !== 'unreadable' || timeOf(field) !== null)
  const names = headless ? first.map((_, i) => String(i + 1)) : first
  const time =
    asked.time === undefined ? guessTime(names, first, headless) : find(names, asked.time, '--time')
  const values =
    asked.value.length > 0
      ? asked.value.map((name) => find(names, name, '--value'))
      : guessValues(names, time)
  if (values.length === 0)
    throw new Misconfigured(
      'csv-unreadable',
      `no column is left to read values from: ${list(names)}; name one with --value`,
    )
  if (values.length > COLUMNS_MAX)
    throw new Misconfigured(
      'csv-unreadable',
      `${values.length} columns are too many for one group (${COLUMNS_MAX}): name fewer with --value`,
    )
  return { time, values, names, headless }
}

function find(names: readonly string[], asked: string, option: string): number {
  const exact = names.indexOf(asked)
  if (exact >= 0) return exact
  const alike = names.findIndex((name) => name.toLowerCase() === asked.toLowerCase())
  if (alike >= 0) return alike
  const number = Number(asked)
  if (Number.isInteger(number) && number >= 1 && number <= names.length) return number - 1
  throw new Misconfigured(
    'csv-unreadable',
    `${option} ${asked}: there is no such column; there are ${list(names)}. Name one of them, or its number from 1`,
  )
}

const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')

function guessTime(names: readonly string[], first: readonly string[], headless: boolean): number | null {
  if (!headless) {
    const named = names.findIndex((name) => TIME_NAME.test(name))
    const index = named >= 0 ? named : names.findIndex((name) => INDEX_NAME.test(name))
    return index >= 0 ? index : null
  }
  const [field = ''] = first
  const looksLikeTime = valueOf(field).kind === 'number' ? Number(field) > 1e8 : timeOf(field) !== null
  return first.length > 1 && looksLikeTime ? 0 : null
}

function guessValues(names: readonly string[], time: number | null): number[] {
  const named = names.findIndex((name, i) => i !== time && name.toLowerCase() === 'value')
  return named >= 0 ? [named] : names.flatMap((_, i) => (i === time ? [] : [i]))
}
