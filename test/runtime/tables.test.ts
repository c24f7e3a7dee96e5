import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { parseConfig } from '../../runtime/config.ts'
import { Tables } from '../../runtime/tables.ts'
import { eventually } from '../contracts/wait.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-tables-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const logged: string[] = []
const logger = {
  info: () => undefined,
  error: (_fields: unknown, text?: string) => logged.push(text ?? ''),
}
// Looks at once, and then as often as the test lets it.
const clock = { ...systemClock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(10, signal) }
const open = (file: string, key = 'host') =>
  Tables.open({ tables: [{ name: 'hosts', file, key }], clock, logger: logger as never })

describe('look-up tables', () => {
  it.each([
    ['hosts.csv', 'host,team,note\ndb-1,storage,"a, b"\n\n'],
    ['hosts.json', '[{"host": "db-1", "team": "storage", "note": "a, b"}]'],
    ['by-key.json', '{"db-1": {"team": "storage", "note": "a, b"}}'],
  ])('%s is read by its key', async (name, text) => {
    const tables = await open(write(name, text))
    expect(tables.lookup('hosts', 'db-1')).toMatchObject({ team: 'storage', note: 'a, b' })
    expect(tables.lookup('hosts', 'web-1')).toEqual({})
    expect(tables.lookup('others', 'db-1')).toEqual({})
    expect(tables.lookup('hosts', '__proto__')).toEqual({})
  })

  it.each([
    ['no-key.csv', 'name,team\na,b\n', 'table-key'],
    ['ragged.csv', 'host,team\na,b,c\n', 'table-columns'],
    ['broken.json', '{"a": ', 'table-json'],
    ['text.json', '"a"', 'table-shape'],
    ['numbers.json', '{"a": 1}', 'table-shape'],
  ])('%s cannot be used', async (name, text, code) => {
    await expect(open(write(name, text))).rejects.toMatchObject({ code })
  })

  it('that are missing cannot be used', async () => {
    await expect(open(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'table-unreadable' })
  })

  it('are read again when they change, and a bad file leaves what there was, visibly', async () => {
    const file = write('changing.csv', 'host,team\ndb-1,storage\n')
    const tables = await open(file)
    tables.watch()
    write('changing.csv', 'host,team\ndb-1,shop\nweb-1,web\n')
    await eventually('the new file', () => tables.lookup('hosts', 'web-1')['team'] === 'web')
    write('changing.csv', 'host,team\nbroken\n')
    await eventually('the error', () => tables.status()[0]?.error !== null)
    expect(tables.lookup('hosts', 'db-1')).toMatchObject({ team: 'shop' })
    expect(tables.status()).toMatchObject([{ rows: 2, error: expect.stringContaining('fields') as string }])
    expect(logged.at(-1)).toContain('what was read before holds on')
    write('changing.csv', 'host,team\ndb-1,back again\n')
    await eventually('the mended file', () => tables.lookup('hosts', 'db-1')['team'] === 'back again')
    expect(tables.status()).toMatchObject([{ rows: 1, error: null }])
    await tables.close()
  })
})

describe('a configuration', () => {
  const problems = (text: string) =>
    parseConfig(text, {}).problems.map(({ path, message }) => `${path}: ${message}`)

  it('says which table is not there, and which expression cannot be used', () => {
    const source = (relabel: string) => `sources: [{name: shop, kind: http, relabel: ${relabel}}]`
    expect(problems(source(`{labels: {team: 'lookup("hosts", alert.labels.host).?team'}}`))).toEqual([
      'sources.0: lookup: there is no table hosts; `tables` has none',
    ])
    const tables = 'tables: [{name: hosts, file: hosts.csv, key: host}]\n'
    expect(problems(tables + source(`{labels: {team: 'lookup("hosts", alert.labels.host).?team'}}`))).toEqual(
      [],
    )
    expect(problems(source(`{labels: {team: 'body.x'}}`))).toEqual([
      expect.stringContaining('may name alert, headers, topic, token, source'),
    ])
    expect(problems(source(`{fingerprint: '"a"', fingerprint_labels: [a]}`))).toEqual([
      expect.stringContaining('not both'),
    ])
  })
})
