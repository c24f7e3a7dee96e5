import { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'

export type { Logger }

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
}
const PLUMBING = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err'])

/** JSON lines on standard error, or, for a person at a terminal, one readable line each. */
export function makeLogger(level: string, terminal: boolean): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: ['*.password', '*.token', '*.secret', '*.authorization'], censor: '[hidden]' },
  }
  return terminal ? pino(options, readable()) : pino(options, pino.destination({ dest: 2, sync: true }))
}

function readable(): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      process.stderr.write(`${lineOf(JSON.parse(chunk.toString()) as Entry)}\n`)
      done()
    },
  })
}

interface Entry extends Record<string, unknown> {
  readonly time: number
  readonly level: number
  readonly msg?: string
  readonly err?: { readonly stack?: string; readonly message?: string }
}

function lineOf(entry: Entry): string {
  const time = new Date(entry.time).toISOString().slice(11, 23)
  const fields = Object.entries(entry)
    .filter(([key]) => !PLUMBING.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const cause = entry.err ? `\n${entry.err.stack ?? entry.err.message ?? ''}` : ''
  return `${time} ${LEVEL_NAMES[entry.level] ?? ''} ${entry.msg ?? ''}${fields.length > 0 ? `  ${fields.join(' ')}` : ''}${cause}`
}
