/** Who may import whom. A path ending in a slash is a folder; anything else is one file, one package, or one built-in module. */
import { posix } from 'node:path'
import { type Reference, scan } from './scan.ts'

export type Border = {
  why: string
  /** Files that the border is about. */
  of: string[]
  except?: string[]
  /** They may import nothing else. */
  only?: string[]
  /** They may import anything else. */
  never?: string[]
}

const SOURCES = ['schemas/', 'correlate/', 'ingest/', 'notify/', 'analytics/', 'runtime/', 'api/', 'cli/']
const PURE_INGEST = ['ingest/sources/', 'ingest/normalise.ts', 'ingest/fingerprint.ts', 'ingest/scope.ts']
const PURE_PARSERS = ['fast-xml-parser', 're2js', 'yaml', 'zod']

export const BORDERS: Border[] = [
  { why: 'the correlator is a pure fold', of: ['correlate/'], only: ['correlate/', 'schemas/'] },
  {
    why: 'contracts know nothing but their validator',
    of: ['schemas/'],
    except: ['schemas/ids.ts', 'schemas/matching.ts', 'schemas/expression.ts'],
    only: ['schemas/', 'zod'],
  },
  {
    why: 'matching needs regular expressions in linear time',
    of: ['schemas/matching.ts'],
    only: ['schemas/', 'zod', 're2js'],
  },
  {
    why: 'expressions need their language, and regular expressions in linear time',
    of: ['schemas/expression.ts'],
    only: ['schemas/', 'zod', 're2js', '@marcbachmann/cel-js'],
  },
  { why: 'ids need a hash', of: ['schemas/ids.ts'], only: ['schemas/', 'zod', 'node:crypto'] },
  {
    why: 'decoding alerts does no I/O',
    of: PURE_INGEST,
    only: ['schemas/', ...PURE_INGEST, ...PURE_PARSERS],
  },
  {
    why: 'decoding readings does no I/O',
    of: ['ingest/samples/'],
    except: [
      'ingest/samples/intake.ts',
      'ingest/samples/entries.ts',
      'ingest/samples/consumer.ts',
      'ingest/samples/sparkplug_consumer.ts',
    ],
    only: [
      'schemas/',
      'ingest/samples/',
      'ingest/compression/',
      'ingest/dead_letters.ts',
      ...PURE_INGEST,
      ...PURE_PARSERS,
    ],
  },
  { why: 'detectors are pure folds', of: ['ingest/detect/'], only: ['ingest/detect/', 'schemas/', 'zod'] },
  { why: 'what to deliver next is decided without I/O', of: ['notify/delivery.ts'], only: ['schemas/'] },
  {
    why: 'only the wiring and the command line choose a log',
    of: SOURCES,
    except: ['runtime/wire.ts', 'cli/', 'runtime/log/'],
    never: ['runtime/log/'],
  },
  {
    why: 'only the wiring and the command line choose a store',
    of: SOURCES,
    except: ['runtime/wire.ts', 'cli/', 'runtime/store/'],
    never: ['runtime/store/'],
  },
  { why: 'the API asks for analytics, not the other way', of: ['analytics/'], never: ['api/'] },
  {
    why: 'the console is bundled: of the rest it knows shapes only',
    of: ['web/'],
    only: [
      'web/',
      'schemas/',
      'react',
      'react-dom',
      'react-aria-components',
      '@tanstack/react-query',
      'uplot',
      '@dagrejs/dagre',
    ],
  },
  {
    why: 'the console speaks with the rest over HTTP',
    of: SOURCES,
    except: ['api/console_files.ts'],
    never: ['web/'],
  },
  { why: 'nothing depends on the command line', of: SOURCES, except: ['cli/'], never: ['cli/'] },
  {
    why: 'the product runs without its tests and benchmarks',
    of: SOURCES,
    never: ['test/', 'bench/', 'deploy/'],
  },
]

const within = (path: string, places: string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))

/** A path from the root for a relative name, the package's name for a package, the name itself otherwise. */
function target(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  if (specifier.startsWith('node:') || specifier.startsWith('<')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function breaks(border: Border, file: string, to: string): boolean {
  if (!within(file, border.of) || within(file, border.except ?? [])) return false
  return (border.only !== undefined && !within(to, border.only)) || within(to, border.never ?? [])
}

/** What a file does against the borders, one line each. */
export function violations(file: string, source: string, borders: Border[] = BORDERS): string[] {
  const { references, code } = scan(source)
  const imports = references.flatMap(({ specifier, line }: Reference) =>
    borders
      .filter((border) => breaks(border, file, target(file, specifier)))
      .map((border) => `${file}:${line} imports ${specifier}: ${border.why}`),
  )
  return [...imports, ...modeReads(file, code)]
}

const MODE_READ = [
  /\bconfig\s*\??\.\s*mode\b/gi,
  /\{[^{}]*\bmode\b[^{}]*\}\s*(?::[^=;]+)?=\s*(?:\w+\.)*config\b/gi,
]

function modeReads(file: string, code: string): string[] {
  if (!within(file, SOURCES) || file === 'runtime/wire.ts') return []
  return MODE_READ.flatMap((pattern) => [...code.matchAll(pattern)]).map(
    (match) =>
      `${file}:${code.slice(0, match.index).split('\n').length} reads config.mode: only the wiring knows which mode is running`,
  )
}

/** Packages that a file of the product needs although the published package does not install them. */
export function undeclared(file: string, source: string, installed: Set<string>): string[] {
  if (!within(file, SOURCES)) return []
  return scan(source)
    .references.filter(({ specifier }) => !/^(?:\.|node:|<)/.test(specifier))
    .filter(({ specifier }) => !installed.has(target(file, specifier)))
    .map(
      ({ specifier, line }) =>
        `${file}:${line} imports ${specifier}, which is no dependency of the published package`,
    )
}
