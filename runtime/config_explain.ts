import type { z } from 'zod'
import { config as configSchema } from '../schemas/config.ts'
import { nearest } from './nearest.ts'

export interface Explained {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** One issue of the schema in words for the author of the file; `given` is what the schema was shown. */
export function explain(found: z.core.$ZodIssue, given: object): Explained[] {
  const issue = deepest(found)
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const known = knownKeys(path)
      const guess = nearest(key, known)
      const hint = known.includes(key)
        ? '; entries of another `kind` have it'
        : guess === null
          ? ''
          : `; did you mean \`${guess}\`?`
      return { path: [...path, key], message: `unknown key${hint}` }
    })
  }
  const what = expectation(issue)
  if (issue.code === 'custom') return [{ path, message: what }]
  const value = valueAt(given, path)
  if (value === undefined) return [{ path, message: `this key is needed here: ${what}` }]
  return [{ path, message: `this is ${shown(path, value)}: ${what}` }]
}

/** Of a union the branch that comes nearest: the first whose fault lies inside. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue
  const inner = issue.errors.flat().find(({ path }) => path.length > 0)
  return inner ? deepest({ ...inner, path: [...issue.path, ...inner.path] }) : issue
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
  record: 'keys and values',
}
const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'item' }

/** What would be right. */
function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected ${oneOf(issue.values)}`
    case 'too_small':
      return `expected at least ${counted(issue.minimum, issue.origin)}`
    case 'too_big':
      return `expected at most ${counted(issue.maximum, issue.origin)}`
    case 'invalid_union':
      // The kinds of a discriminated union, when none of them was named.
      return 'options' in issue && Array.isArray(issue.options)
        ? `expected ${oneOf(issue.options)}`
        : issue.message
    default:
      return issue.message
  }
}

function counted(bound: number | bigint, origin: string): string {
  const unit = UNITS[origin]
  if (unit === undefined) return String(bound)
  return `${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`
}

function oneOf(values: readonly unknown[]): string {
  // The kind of entries that need not name one.
  const told = values.filter((value) => value !== undefined).map(String)
  return told.length > 1 ? `one of ${told.join(', ')}` : (told[0] ?? '')
}

const SHOWN_CHARS_MAX = 60
const SECRET_KEYS = new Set<PropertyKey>(['secret', 'password', 'token'])

/** The value as it was written; never what may be a secret in the wrong place. */
function shown(path: readonly PropertyKey[], value: unknown): string {
  if (path.some((key) => SECRET_KEYS.has(key))) return 'not usable'
  const text = JSON.stringify(value).replace(/\/\/[^@/]*@/g, '//…@')
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (inner, step) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  )
}

/** The keys that the schema knows at a path, found by walking its JSON Schema. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let nodes: JsonSchema[] = [configSchema.toJSONSchema({ io: 'input' }) as JsonSchema]
  for (const step of path) {
    nodes = nodes.flatMap((node) =>
      alternatives(typeof step === 'number' ? node.items : node.properties?.[String(step)]),
    )
  }
  return nodes.flatMap((node) => Object.keys(node.properties ?? {}))
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

function alternatives(node: JsonSchema | undefined): JsonSchema[] {
  if (!node) return []
  return [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]
}
