import type { Quality } from '../../schemas/sample.ts'

/** Values and status codes of OPC UA in JSON (Part 6). */

/** Numbers in JSON would lose the digits of these, so they are texts; by number and by name. */
const WIDE = new Set<unknown>([8, 9, 'Int64', 'UInt64'])
const REAL = new Set<unknown>([10, 11, 'Float', 'Double'])
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** Null when it is no number. `type`: the built-in type, where it stands beside the value. */
export function opcuaValue(value: unknown, type?: unknown): number | null {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'string') return textValue(value, type)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  // A variant in the reversible encoding.
  const { Type, Body, UaType, Value } = value as Record<string, unknown>
  const [inner, of] = Body === undefined ? [Value, UaType] : [Body, Type]
  return typeof inner === 'object' ? null : opcuaValue(inner, of)
}

function textValue(text: string, type: unknown): number | null {
  if (WIDE.has(type) && /^[+-]?\d{1,20}$/.test(text)) return Number(text)
  return REAL.has(type) && Object.hasOwn(NOT_FINITE, text) ? (NOT_FINITE[text] ?? null) : null
}

/** The two highest bits of a status code tell good, uncertain and bad. */
const SEVERITY_SHIFT = 30
/** Codes, without their flags, of values that something stopped updating. */
const LAST_USABLE = new Set([0x408f, 0x4090])
const LAST_USABLE_NAMES = /^Uncertain(?:NoCommunication)?LastUsable(?:Value)?$/

/** Of a code as a number, as `{Code, Symbol}`, or as its symbol; nothing means good. */
export function opcuaQuality(status: unknown): Quality {
  if (typeof status === 'number') return ofCode(status)
  if (typeof status === 'string') return /^\d+$/.test(status) ? ofCode(Number(status)) : ofSymbol(status)
  if (typeof status !== 'object' || status === null) return 'good'
  const { Code, Symbol: symbol } = status as Record<string, unknown>
  if (typeof Code === 'number') return ofCode(Code)
  return typeof symbol === 'string' ? ofSymbol(symbol) : 'good'
}

function ofCode(code: number): Quality {
  const bits = code >>> 0
  if (LAST_USABLE.has(bits >>> 16)) return 'stale'
  const severity = bits >>> SEVERITY_SHIFT
  return severity === 0 ? 'good' : severity === 1 ? 'uncertain' : 'bad'
}

function ofSymbol(symbol: string): Quality {
  if (LAST_USABLE_NAMES.test(symbol)) return 'stale'
  if (symbol === '' || symbol.startsWith('Good')) return 'good'
  return symbol.startsWith('Uncertain') ? 'uncertain' : 'bad'
}
