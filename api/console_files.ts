import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** What `npm run build:web` writes; not in the repository, but in the published package. */
const BUILT = fileURLToPath(new URL('../web/built/', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface ConsoleFile {
  readonly type: string
  readonly plain: Buffer
  readonly gzipped: Buffer
}

function fileOf(path: string): ConsoleFile | null {
  const type = TYPES[extname(path)]
  if (type === undefined) return null
  const plain = readFileSync(path)
  return { type, plain, gzipped: gzipSync(plain) }
}

/** The built files of the console, each read when it is first asked for; the names are those that were there at the start. */
export class ConsoleFiles {
  private readonly names: ReadonlySet<string>
  private readonly read = new Map<string, ConsoleFile | null>()

  constructor() {
    const assets = join(BUILT, 'assets')
    this.names = new Set(existsSync(assets) ? readdirSync(assets) : [])
  }

  /** Null when the console was not built. */
  index(): ConsoleFile | null {
    return existsSync(join(BUILT, 'index.html')) ? this.cached('index.html') : null
  }

  asset(name: string): ConsoleFile | null {
    return this.names.has(name) ? this.cached(join('assets', name)) : null
  }

  private cached(path: string): ConsoleFile | null {
    const known = this.read.get(path)
    if (known !== undefined) return known
    const file = fileOf(join(BUILT, path))
    this.read.set(path, file)
    return file
  }
}
