import { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'

export type { Logger }

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'WARN ', 50: 'ERROR', 60: 'FATAL' }
const PLUMBING = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err'])

/** JSON lines on standard error, or, for a person at a terminal, one readable line each. */
export function makeLogger(level: string, terminal: boolean): Logger {
  const options = { level, base: null, redact: { paths: ['*.password', '*.token', '*.secret', '*.authorization'], censor: '[hidden]' } }
  return terminal ? pino(options, readable()) : pino(options, pino.destination({ dest: 2, sync: true }))
}

function readable(): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      process.stderr.write(`${lineOf(JSON.parse(chunk.toString()) as Record<string, unknown>)}\n`)
      done()
    },
  })
}

function lineOf(entry: Record<string, unknown>): string {
  const time = new Date(entry['time'] as number).toISOString().slice(11, 23)
  const fields = Object.entries(entry)
    .filter(([key]) => !PLUMBING.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const error = entry['err'] as { stack?: string; message?: string } | undefined
  const cause = error ? `\n${error.stack ?? error.message ?? ''}` : ''
  return `${time} ${LEVEL_NAMES[entry['level'] as number] ?? ''} ${String(entry['msg'] ?? '')}${fields.length > 0 ? `  ${fields.join(' ')}` : ''}${cause}`
}
