import { Environment, Optional } from '@marcbachmann/cel-js'
import { serialize } from '@marcbachmann/cel-js/serialize'
import { RE2JS } from 're2js'
import { z } from 'zod'

/**
 * Expressions in CEL (Common Expression Language), with three bounds of ours: a macro (`map`, `filter`, `all`, `exists`, `exists_one`) is
 * never inside of another, so that the work grows no faster than what is given; `matches` takes RE2 and runs in linear time; and
 * texts are short. Evaluation has no side effects.
 */

const EXPRESSION_CHARS = 2_048
export const expressionText = z.string().min(1).max(EXPRESSION_CHARS)

/** `code` is `expression-syntax`, `expression-type`, `expression-nested` or, when it is evaluated, `expression-failed`. */
export class ExpressionError extends Error {
  override name = 'ExpressionError'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A row of a look-up table of the configuration by its key; an empty one when there is none. */
export type Lookup = (table: string, key: string) => Readonly<Record<string, unknown>>

export const NO_TABLES: Lookup = () => ({})

export type Variables = Readonly<Record<string, unknown>>

/** Gives the value as JSON would hold it: numbers, texts, lists and objects; an absent optional and null are null. Throws ExpressionError. */
export type Expression = (variables: Variables) => unknown

const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 200,
  maxMapEntries: 200,
  maxCallArguments: 16,
}
const MACROS = new Set(['map', 'filter', 'all', 'exists', 'exists_one'])
/** Takes the place of the library's own `matches`, which backtracks. */
const LINEAR_MATCHES = 'matchesInLinearTime'
const PATTERNS_KEPT = 64

function environment(variables: readonly string[], lookup: Lookup): Environment {
  const patterns = new Map<string, RE2JS>()
  const compiled = (pattern: string): RE2JS => {
    const known = patterns.get(pattern)
    if (known !== undefined) return known
    const fresh = RE2JS.compile(pattern)
    if (patterns.size >= PATTERNS_KEPT) patterns.clear()
    patterns.set(pattern, fresh)
    return fresh
  }
  const cel = new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: LIMITS,
  }).registerFunction(`string.${LINEAR_MATCHES}(string): bool`, (text: string, pattern: string) =>
    compiled(pattern).test(text),
  )
  cel.registerFunction('lookup(string, dyn): map', (table: string, key: unknown) =>
    lookup(table, typeof key === 'string' ? key : String(plain(key))),
  )
  for (const name of variables) cel.registerVariable(name, 'dyn')
  return cel
}

type Node = { readonly op: string; args: unknown }

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value

/** Calls of `matches` get their linear form; throws when a macro is inside of another. */
function adapt(value: unknown, inside: boolean): void {
  if (Array.isArray(value)) {
    for (const item of value) adapt(item, inside)
    return
  }
  if (!isNode(value)) return
  if (value.op !== 'rcall' || !Array.isArray(value.args)) return adapt(value.args, inside)
  const args = value.args as unknown[]
  const is_macro = MACROS.has(args[0] as string)
  if (is_macro && inside)
    throw new ExpressionError(
      'expression-nested',
      `${String(args[0])} stands inside of another macro, which is not allowed`,
    )
  if (args[0] === 'matches') args[0] = LINEAR_MATCHES
  adapt(args[1], inside)
  adapt(args[2], inside || is_macro)
}

/** The first line: what follows shows the place in the text. */
function summaryOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
}

function attempt<Result>(code: string, act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    if (error instanceof ExpressionError) throw error
    throw new ExpressionError(code, summaryOf(error))
  }
}

/** Throws ExpressionError. */
export function compileExpression(
  text: string,
  variables: readonly string[],
  lookup: Lookup = NO_TABLES,
): Expression {
  const cel = environment(variables, lookup)
  const parsed = attempt('expression-syntax', () => cel.parse(text))
  adapt(parsed.ast, false)
  const compiled = attempt('expression-syntax', () => cel.parse(serialize(parsed.ast)))
  const { valid, error } = compiled.check()
  if (!valid) throw new ExpressionError('expression-type', summaryOf(error))
  return (given) => attempt('expression-failed', () => plain(compiled({ ...given })))
}

const isSafe = (value: bigint): boolean =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function primitiveOf(value: object): unknown {
  const primitive: unknown = value.valueOf()
  return typeof primitive === 'object' ? null : primitive
}

function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : String(value)
  if (typeof value !== 'object') return value
  if (value instanceof Optional) return value.hasValue() ? plain(value.value()) : null
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map((item) => plain(item))
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(plain(key)), plain(item)]))
  // Unsigned integers and durations (in ms) of CEL are objects of classes; what came as JSON is none, and may have a key `valueOf`.
  if (!isPlainObject(value)) return plain(primitiveOf(value))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
