import { readFileSync } from 'node:fs'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { type Config, config as configSchema, type SecretRef } from '../schemas/config.ts'
import type { DetectRules } from '../schemas/detect.ts'
import { contentVersion } from '../schemas/ids.ts'
import type { Rules } from '../schemas/rules.ts'
import { detectorProblems, detectRulesOf } from './config_detect.ts'
import { explain } from './config_explain.ts'
import { rulesOf } from './config_rules.ts'
import { Misconfigured } from './errors.ts'
import { readLearned } from './learned_rules.ts'

/** One thing wrong with a configuration: where, what, and how to mend it. */
export interface ConfigProblem {
  readonly path: string
  readonly line: number | null
  readonly message: string
}

export interface Loaded {
  readonly config: Config
  readonly rules: Rules
  readonly detect_rules: DetectRules
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
  if (!config) {
    const lines = problems.map(
      ({ path, line, message }) =>
        `  ${file ?? 'environment'}${line === null ? '' : `:${line}`}${path === '' ? '' : ` ${path}`}: ${message}`,
    )
    throw new Misconfigured('config-invalid', `the configuration cannot be used:\n${lines.join('\n')}`)
  }
  const rules = rulesOf(config, readLearned(config.rules.learned))
  return {
    config,
    rules: { version: contentVersion(rules), ...rules },
    detect_rules: detectRulesOf(config),
    secret: (ref) => readSecret(ref, env),
    text,
  }
}

function readText(file: string, code: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Misconfigured(
      code,
      `${what} ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    )
  }
}

function readSecret(ref: SecretRef, env: Environment): string {
  if ('file' in ref) return readText(ref.file, 'secret-unreadable', 'the secret file').trim()
  const value = env[ref.env]
  if (value === undefined || value === '')
    throw new Misconfigured(
      'secret-missing',
      `the environment variable ${ref.env}, which holds a secret of the configuration, is not set`,
    )
  return value
}

/** The configuration of a text, with all problems. `config` is null when there are any. */
export function parseConfig(
  text: string,
  env: Environment,
): { config: Config | null; problems: ConfigProblem[] } {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    path: '',
    line: counter.linePos(error.pos[0]).line,
    message: `not YAML: ${error.message}`,
  }))
  if (broken.length > 0) return { config: null, problems: broken }
  const value = valueOf(document)
  if (value instanceof ReferenceError)
    return { config: null, problems: [problemAtTop(`not YAML: ${value.message}`)] }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      config: null,
      problems: [problemAtTop('expected keys and values at the top, such as `listen: 127.0.0.1:7600`')],
    }
  }
  const overridden = overrides(env)
  const given = { ...value, ...overridden.values }
  const parsed = configSchema.safeParse(given)
  if (parsed.success) {
    const problems = detectorProblems(parsed.data).map(({ path, message }) => ({
      path: path.join('.'),
      line: lineOf(document, counter, path),
      message,
    }))
    return { config: problems.length === 0 ? parsed.data : null, problems }
  }
  const problems = parsed.error.issues.flatMap((issue) => explain(issue, given))
  return {
    config: null,
    problems: problems.map(({ path, message }) => {
      const variable = overridden.variables[String(path[0])]
      const line = variable === undefined ? lineOf(document, counter, path) : null
      return {
        path: path.join('.'),
        line,
        message: variable === undefined ? message : `${message} (from ${variable})`,
      }
    }),
  }
}

function problemAtTop(message: string): ConfigProblem {
  return { path: '', line: 1, message }
}

const ALIASES_MAX = 20

/** Keys without a value are left out, so that a section whose lines are all comments is one with its defaults. */
function valueOf(document: Document.Parsed): unknown {
  try {
    const reviver = (key: unknown, value: unknown) =>
      value === null && typeof key === 'string' && key !== '' ? undefined : value
    return document.toJS({ maxAliasCount: ALIASES_MAX, reviver }) ?? {}
  } catch (error) {
    // An alias without its anchor, or aliases of aliases that would fill the memory.
    if (error instanceof ReferenceError) return error
    throw error
  }
}

/** The lines of keys in a configuration that was read without problems. */
export function linesOf(
  text: string,
  paths: readonly (readonly PropertyKey[])[],
): readonly (number | null)[] {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  return paths.map((path) => lineOf(document, counter, path))
}

function lineOf(
  document: Document.Parsed,
  counter: LineCounter,
  path: readonly PropertyKey[],
): number | null {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line
  }
  return null
}

const OVERRIDES = { listen: 'TOCSIN_LISTEN', data_dir: 'TOCSIN_DATA_DIR' }

function overrides(env: Environment): { values: Record<string, string>; variables: Record<string, string> } {
  const set = Object.entries(OVERRIDES).filter(([, variable]) => env[variable])
  return {
    values: Object.fromEntries(set.map(([key, variable]) => [key, env[variable] as string])),
    variables: Object.fromEntries(set),
  }
}
