import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { type Config, config as configSchema, type SecretRef } from '../schemas/config.ts'
import { contentVersion } from '../schemas/ids.ts'
import { MatcherError } from '../schemas/matching.ts'
import type { Rules } from '../schemas/rules.ts'
import { rulesOf } from './config_rules.ts'
import { nearest } from './nearest.ts'
import { Misconfigured } from './errors.ts'

/** One thing wrong with a configuration: where, what, and how to mend it. */
export interface ConfigProblem {
  readonly path: string
  readonly line: number | null
  readonly message: string
}

export interface Loaded {
  readonly config: Config
  readonly rules: Rules
  readonly secret: (ref: SecretRef) => string
  /** The file's own text, for the compatible status answer; empty without a file. Holds no secrets by design. */
  readonly text: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The one place that reads the environment. */
export function environment(): Environment {
  return process.env
}

/** Reads the file (or takes the defaults), checks everything, applies the overrides. Throws Misconfigured with every problem, a line each. */
export function loadConfig(file: string | undefined, env: Environment): Loaded {
  const text = file === undefined ? '' : readText(file, 'config-unreadable', 'the configuration file')
  const { config, problems } = parseConfig(text, env)
  if (!config || problems.length > 0) {
    const lines = problems.map(({ path, line, message }) => `  ${file ?? 'environment'}${line === null ? '' : `:${line}`}${path === '' ? '' : ` ${path}`}: ${message}`)
    throw new Misconfigured('config-invalid', `the configuration cannot be used:\n${lines.join('\n')}`)
  }
  const rules = rulesOf(config)
  return { config, rules: { version: contentVersion(rules), ...rules }, secret: (ref) => readSecret(ref, env), text }
}

function readText(file: string, code: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Misconfigured(code, `${what} ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

function readSecret(ref: SecretRef, env: Environment): string {
  if ('file' in ref) return readText(ref.file, 'secret-unreadable', 'the secret file').trim()
  const value = env[ref.env]
  if (value === undefined || value === '') throw new Misconfigured('secret-missing', `the environment variable ${ref.env}, which holds a secret of the configuration, is not set`)
  return value
}

/** The configuration of a text, with all problems. `config` is null when its shape is wrong. */
export function parseConfig(text: string, env: Environment): { config: Config | null; problems: ConfigProblem[] } {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const broken = document.errors.map((error) => ({ path: '', line: counter.linePos(error.pos[0]).line, message: `not YAML: ${error.message}` }))
  if (broken.length > 0) return { config: null, problems: broken }
  const value: unknown = document.toJS({ maxAliasCount: 20 }) ?? {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { config: null, problems: [{ path: '', line: 1, message: 'expected keys and values at the top, such as `listen: 127.0.0.1:7600`' }] }
  }
  const lineOf = (path: readonly PropertyKey[]) => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return counter.linePos(node.range[0]).line
    }
    return null
  }
  const parsed = configSchema.safeParse(withOverrides(value, env))
  if (!parsed.success) return { config: null, problems: parsed.error.issues.flatMap((issue) => explain(issue, value, lineOf)) }
  const problems = contradictions(parsed.data).map(({ path, message }) => ({ path: path.join('.'), line: lineOf(path), message }))
  return { config: parsed.data, problems }
}

function withOverrides(value: object, env: Environment): object {
  const overrides: Record<string, string> = {}
  if (env['TOCSIN_LISTEN']) overrides['listen'] = env['TOCSIN_LISTEN']
  if (env['TOCSIN_DATA_DIR']) overrides['data_dir'] = env['TOCSIN_DATA_DIR']
  return { ...value, ...overrides }
}

function explain(issue: z.core.$ZodIssue, value: object, lineOf: (path: readonly PropertyKey[]) => number | null): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const guess = nearest(key, knownKeys(issue.path))
      const path = [...issue.path, key]
      return { path: path.join('.'), line: lineOf(path), message: `unknown key${guess ? `; did you mean \`${guess}\`?` : ''}` }
    })
  }
  const missing = issue.code === 'invalid_type' && valueAt(value, issue.path) === undefined
  return [{ path: issue.path.join('.'), line: lineOf(issue.path), message: missing ? `this key is needed here (${issue.expected})` : issue.message }]
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((inner, step) => (typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[step] : undefined), value)
}

/** The keys that the schema knows at a path, found by walking its JSON Schema. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let nodes: JsonSchema[] = [configSchema.toJSONSchema({ io: 'input' }) as JsonSchema]
  for (const step of path) {
    nodes = nodes.flatMap((node) => alternatives(typeof step === 'number' ? node.items : node.properties?.[String(step)]))
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

interface Contradiction {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What the schema cannot say: parts that need each other, and safety. */
function contradictions(config: Config): Contradiction[] {
  const found: Contradiction[] = []
  const host = config.listen.slice(0, config.listen.lastIndexOf(':'))
  if (!isLoopback(host) && config.api.tokens.length === 0) {
    found.push({ path: ['listen'], message: `${host} is open to the network but api.tokens is empty; make a token with \`tocsin token\`, or listen on 127.0.0.1` })
  }
  if (Number(config.listen.slice(config.listen.lastIndexOf(':') + 1)) > 65_535) found.push({ path: ['listen'], message: 'a port is at most 65535' })
  for (const key of ['kafka', 'redis'] as const) {
    if (config.mode === 'distributed' && !config[key]) found.push({ path: [key], message: `mode: distributed needs \`${key}\`` })
  }
  if (config.mode === 'distributed' && config.history.enabled && !config.clickhouse) {
    found.push({ path: ['clickhouse'], message: 'mode: distributed with history needs `clickhouse` (or history.enabled: false)' })
  }
  for (const [i, source] of config.sources.entries()) {
    if (!source.cluster && !config.kafka) found.push({ path: ['sources', i], message: 'no brokers are known: give `cluster` here or `kafka` at the top' })
  }
  found.push(...duplicates('sources', config.sources), ...duplicates('sinks', config.sinks), ...duplicates('rules.grouping', config.rules.grouping), ...ruleProblems(config))
  return found
}

function duplicates(where: string, items: readonly { readonly name: string }[]): Contradiction[] {
  return items.flatMap(({ name }, i) =>
    items.findIndex((other) => other.name === name) < i ? [{ path: [...where.split('.'), i, 'name'], message: `the name ${name} is taken by an earlier entry` }] : [],
  )
}

function ruleProblems(config: Config): Contradiction[] {
  try {
    rulesOf(config)
    return []
  } catch (error) {
    if (!(error instanceof MatcherError)) throw error
    return [{ path: ['rules', 'grouping'], message: error.message }]
  }
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}
