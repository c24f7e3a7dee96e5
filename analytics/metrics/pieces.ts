import {
  type AnalyticsQuestion,
  type Dimension,
  LOCAL_DIMENSIONS,
  type Period,
  PLAIN_DIMENSIONS,
} from '../../schemas/analytics_question.ts'
import { workingDays, workingParameters } from './business_time.ts'

/** What the text of a query is made of: fixed pieces that the question chooses. Its values are bound parameters. */
export interface Pieces {
  /** The groups of a row, by a column of time. */
  readonly groups: (at: string) => string
  /** ` AND …` for each filter. */
  readonly filters: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Durations are in working time. */
  readonly business: boolean
}

const time = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`
export const FROM = time('from_ms')
export const TO = time('to_ms')
export const AS_OF = time('as_of_ms')
export const TZ = '{tz:String}'

/** Local minutes since midnight. */
const minutes = (at: string) => `(toHour(${at}, ${TZ}) * 60 + toMinute(${at}, ${TZ}))`
const two = (number: string) => `leftPad(toString(${number}), 2, '0')`

const LOCAL: Readonly<Record<(typeof LOCAL_DIMENSIONS)[number], (at: string) => string>> = {
  month: (at) => `formatDateTime(${at}, '%Y-%m', ${TZ})`,
  week: (at) => `toString(toMonday(toDate(${at}, ${TZ})))`,
  day: (at) => `toString(toDate(${at}, ${TZ}))`,
  hour: (at) => two(`toHour(${at}, ${TZ})`),
  hour_of_week: (at) => `concat(toString(toDayOfWeek(${at}, 0, ${TZ})), '-', ${two(`toHour(${at}, ${TZ})`)})`,
  shift: (at) =>
    `{shift_names:Array(String)}[arrayFirstIndex((begin, end) -> if(begin < end, ${minutes(at)} >= begin AND ${minutes(at)} < end, ${minutes(at)} >= begin OR ${minutes(at)} < end), {shift_begins:Array(UInt16)}, {shift_ends:Array(UInt16)})]`,
}

function expressionOf(dimension: Dimension, index: number, at: string): string {
  if (dimension.startsWith('label.')) return `labels[{by_label_${index}:String}]`
  const local = LOCAL_DIMENSIONS.find((name) => name === dimension)
  if (local !== undefined) return LOCAL[local](at)
  const plain = PLAIN_DIMENSIONS.find((name) => name === dimension)
  if (plain === undefined) throw new Error(`${dimension} is no dimension`)
  return `toString(${plain})`
}

function groupParameters({ by, shifts }: AnalyticsQuestion): Record<string, unknown> {
  const labels = by.flatMap((dimension, index) =>
    dimension.startsWith('label.') ? [[`by_label_${index}`, dimension.slice('label.'.length)]] : [],
  )
  return {
    ...(Object.fromEntries(labels) as Record<string, string>),
    ...(by.includes('shift') && {
      shift_names: shifts.map(({ name }) => name),
      shift_begins: shifts.map(({ begin_minute }) => begin_minute),
      shift_ends: shifts.map(({ end_minute }) => end_minute),
    }),
  }
}

function filtersOf({ filters, labels }: AnalyticsQuestion): Pick<Pieces, 'filters' | 'parameters'> {
  const parameters: Record<string, unknown> = {}
  const conditions: string[] = []
  for (const name of PLAIN_DIMENSIONS) {
    const values = filters[name]
    if (values === undefined || values.length === 0) continue
    parameters[`only_${name}`] = values
    conditions.push(` AND ${name} IN {only_${name}:Array(String)}`)
  }
  for (const [index, { name, value }] of labels.entries()) {
    parameters[`label_name_${index}`] = name
    parameters[`label_value_${index}`] = value
    conditions.push(` AND labels[{label_name_${index}:String}] = {label_value_${index}:String}`)
  }
  return { filters: conditions.join(''), parameters }
}

/** A question about one of its periods, as pieces of a query. */
export function piecesOf(question: AnalyticsQuestion, { from_ms, to_ms }: Period): Pieces {
  const { as_of_ms, tz, by, business_hours, cost_per_hour } = question
  const { filters, parameters } = filtersOf(question)
  const work = business_hours && workingDays(business_hours, from_ms, as_of_ms)
  return {
    groups: (at) =>
      `[${by.map((dimension, index) => expressionOf(dimension, index, at)).join(', ')}]::Array(String)`,
    filters,
    parameters: {
      ...parameters,
      ...groupParameters(question),
      from_ms,
      to_ms,
      as_of_ms,
      tz,
      cost_services: Object.keys(cost_per_hour),
      cost_rates: Object.values(cost_per_hour),
      ...(work && workingParameters(work)),
    },
    business: work !== null,
  }
}
