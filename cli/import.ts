import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { type ColumnMapping, columnMapping, columnReader } from '../ingest/imports/columns.ts'
import { JSON_EXPORTS } from '../ingest/imports/json_exports.ts'
import {
  importedOf,
  importSeverities,
  type ImportSettings,
  type RawIncident,
  Unusable,
} from '../ingest/imports/raw_incident.ts'
import { environment } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'
import { isTimeZone } from '../schemas/calendar.ts'
import { IMPORT_BATCH_MAX, type ImportedIncident, importedIncident } from '../schemas/imported.ts'
import { TocsinClient } from './client.ts'
import { records } from '../runtime/csv.ts'

export interface ImportOptions {
  readonly format: string
  readonly file: string
  readonly mapping?: string
  readonly source?: string
  readonly scope: string
  readonly tz: string
  readonly url: string
  readonly dryRun?: boolean
}

const BAD_SHOWN = 10
const FORMATS = ['csv', ...Object.keys(JSON_EXPORTS)]

/** Reads an export, says what cannot be read, and writes the rest into the history of a running tocsin. */
export async function importIncidents(options: ImportOptions): Promise<void> {
  if (!FORMATS.includes(options.format))
    unusable('format', `expected one of ${FORMATS.join(', ')}, not ${options.format}`)
  if (!isTimeZone(options.tz))
    unusable('tz', `expected an IANA time zone such as Asia/Shanghai, not ${options.tz}`)
  if (!existsSync(options.file)) unusable('file', `there is no file ${options.file}`)
  const mapping = mappingOf(options.mapping)
  const settings: ImportSettings = {
    source: options.source ?? options.format,
    scope: options.scope,
    tz: options.tz,
    severities: importSeverities(mapping.severities),
  }
  const entries = isJson(options.file) ? jsonEntries(options) : csvEntries(options.file, mapping)
  const { incidents, left_out } = await read(entries, settings)
  tell(options, incidents, left_out)
  if (options.dryRun || incidents.length === 0) return
  const client = new TocsinClient(options.url, environment()['TOCSIN_TOKEN'])
  for (let from = 0; from < incidents.length; from += IMPORT_BATCH_MAX)
    await client.importIncidents(incidents.slice(from, from + IMPORT_BATCH_MAX))
  console.log(
    `${incidents.length} incidents are in the history of ${client.url}; to import them again changes nothing.`,
  )
}

function unusable(option: string, message: string): never {
  throw new Misconfigured('option-unusable', `--${option}: ${message}`)
}

function mappingOf(file: string | undefined): ColumnMapping {
  if (file === undefined) return columnMapping.parse({})
  try {
    const checked = columnMapping.safeParse(parse(readFileSync(file, 'utf8')))
    if (checked.success) return checked.data
    const [issue] = checked.error.issues
    unusable('mapping', `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  } catch (error) {
    if (error instanceof Misconfigured) throw error
    unusable(
      'mapping',
      `${file} cannot be read (${error instanceof YAMLParseError ? error.message : String((error as NodeJS.ErrnoException).code)})`,
    )
  }
}

const isJson = (file: string) => file.toLowerCase().endsWith('.json')

interface Entry {
  /** Line of a CSV file, or place in a list, from 1. */
  readonly place: number
  readonly raw: RawIncident | Unusable
}

async function* csvEntries(file: string, mapping: ColumnMapping): AsyncGenerator<Entry> {
  let reader: ReturnType<typeof columnReader> | undefined
  let place = 0
  for await (const row of records(createReadStream(file, 'utf8'))) {
    place++
    if (reader === undefined) {
      reader = columnReader(row, mapping)
      if (reader.missing.length > 0)
        unusable('mapping', `${file} has no column ${reader.missing.join(', ')}; it has ${row.join(', ')}`)
    } else yield { place, raw: reader.read(row) }
  }
}

async function* jsonEntries({ file, format }: ImportOptions): AsyncGenerator<Entry> {
  const known = Object.entries(JSON_EXPORTS).find(([name]) => name === format)?.[1]
  if (known === undefined) unusable('format', 'csv files are no JSON: name the system that the export is of')
  let document: unknown
  try {
    document = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    unusable('file', `${file} is no JSON`)
  }
  const lists = known.lists.map((name) => (document as Record<string, unknown> | null)?.[name])
  const list = [document, ...lists].find((one) => Array.isArray(one)) as readonly unknown[] | undefined
  if (list === undefined)
    unusable(
      'file',
      `${file} has no list of incidents: expected one at the top or in ${known.lists.join(', ')}`,
    )
  for (const [index, one] of list.entries()) {
    const entry = (known.entry as z.ZodType<RawIncident>).safeParse(one)
    const [issue] = entry.error?.issues ?? []
    yield {
      place: index + 1,
      raw: entry.data ?? new Unusable(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`),
    }
  }
}

interface LeftOut {
  readonly place: number
  readonly reason: string
}

async function read(entries: AsyncIterable<Entry>, settings: ImportSettings) {
  const incidents: ImportedIncident[] = []
  const left_out: LeftOut[] = []
  for await (const { place, raw } of entries) {
    try {
      if (raw instanceof Unusable) throw raw
      incidents.push(importedIncident.parse(importedOf(raw, settings)))
    } catch (error) {
      if (error instanceof Unusable) left_out.push({ place, reason: error.message })
      else if (error instanceof z.ZodError)
        left_out.push({ place, reason: error.issues[0]?.message ?? 'unusable' })
      else throw error
    }
  }
  return { incidents, left_out }
}

function tell(
  options: ImportOptions,
  incidents: readonly ImportedIncident[],
  left_out: readonly LeftOut[],
): void {
  for (const { place, reason } of left_out.slice(0, BAD_SHOWN))
    console.error(`${options.file}, entry ${place}: ${reason}`)
  if (left_out.length > BAD_SHOWN) console.error(`… and ${left_out.length - BAD_SHOWN} more`)
  const opened = incidents.map(({ opened_ms }) => opened_ms)
  const date = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 10)
  const range =
    incidents.length === 0 ? '' : `, opened from ${date(minMax(opened)[0])} to ${date(minMax(opened)[1])}`
  const open = incidents.filter(({ resolved_ms }) => resolved_ms === null).length
  console.log(
    `${incidents.length} incidents can be imported${range}, ${open} of them open; ${left_out.length} are left out.`,
  )
  if (options.dryRun && incidents[0] !== undefined) console.log(JSON.stringify(incidents[0], null, 2))
}

/** Spreading a large list into Math.min would overflow the stack. */
function minMax(values: readonly number[]): readonly [number, number] {
  return values.reduce<[number, number]>(
    ([min, max], value) => [Math.min(min, value), Math.max(max, value)],
    [Number.POSITIVE_INFINITY, 0],
  )
}
