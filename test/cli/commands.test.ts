import { hash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../runtime/config.ts'
import { tocsin } from './run.ts'

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tocsin-cli-')), 'tocsin.yaml')
  writeFileSync(file, text)
  return file
}

/** A port where nothing listens: one that was free a moment ago. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('the command line', () => {
  it('explains itself, in both languages', async () => {
    const { status, stdout } = await tocsin(['--help'])
    expect(status).toBe(0)
    for (const command of ['start', 'check', 'topics', 'doctor', 'try', 'demo', 'token'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(stdout).toContain('即可启动')
  })

  it('guesses a mistyped command', async () => {
    const { status, stderr } = await tocsin(['docter'])
    expect(status).toBe(1)
    expect(stderr).toContain('Did you mean doctor?')
  })

  it('shows what a message would come to, by a source of the configuration or a built-in format', async () => {
    const config = fileWith(
      'sources: [{name: own, kind: http, format: json, labels: {site: hamburg}, mapping: {labels: {alertname: alert.check}}}]\n',
    )
    const tried = (args: readonly string[], input: string) => tocsin(['try', ...args], {}, input)
    const own = await tried(['-c', config, '-s', 'own'], '[{"check":"Disk"},{}]')
    expect(own.status).toBe(1)
    expect(JSON.parse(own.stdout)).toMatchObject({
      alerts: [{ labels: { alertname: 'Disk', site: 'hamburg' }, scope: 'hamburg', source: 'own' }],
      rejects: [{ ordinal: 1, code: 'expression-failed', reason: 'labels.alertname: No such key: check' }],
    })
    const event = await tried(
      [
        '-s',
        'cloudevents',
        '-H',
        'ce-specversion: 1.0',
        '-H',
        'ce-id:1',
        '-H',
        'CE-Type: t',
        '-H',
        'ce-source: s',
      ],
      '',
    )
    expect(event.status).toBe(0)
    expect(JSON.parse(event.stdout)).toMatchObject({ alerts: [{ labels: { alertname: 't' } }], rejects: [] })
    const readings = await tried(['-s', 'influx'], 'm,site=hamburg v=1.5 1795608000000\nbad')
    expect(readings.status).toBe(1)
    expect(JSON.parse(readings.stdout)).toEqual({
      series: [
        {
          scope: 'hamburg',
          labels: { metric: 'm_v', site: 'hamburg' },
          historical: false,
          readings: [{ at: '2026-11-25T12:00:00.000Z', value: 1.5, quality: 'good' }],
        },
      ],
      rejects: [{ ordinal: 1, code: 'line-syntax', reason: expect.stringContaining('no fields') as string }],
      dropped: 0,
    })
    const unknown = await tried(['-s', 'nothing'], '')
    expect(unknown.status).toBe(2)
    expect(unknown.stderr).toContain('expected one of alertmanager, ')
  })

  it('makes a token whose printed configuration is right and holds only its hash', async () => {
    const { stdout } = await tocsin(['token', '--name', 'grafana', '--role', 'viewer'])
    const token = /tcs_\S+/.exec(stdout)?.[0] ?? ''
    const block = stdout.slice(stdout.indexOf('api:'))
    expect(block).not.toContain(token)
    expect(parse(block)).toEqual({
      api: { tokens: [{ name: 'grafana', role: 'viewer', sha256: hash('sha256', token, 'hex') }] },
    })
    expect(parseConfig(block, {}).problems).toEqual([])
    expect((await tocsin(['token', '--name', 'x', '--role', 'boss'])).stderr).toBe(
      'tocsin: --role boss: expected one of ingest, viewer, responder, admin\n',
    )
  })

  it('checks a file and prints what holds', async () => {
    const right = await tocsin(['check', '-c', fileWith('listen: 127.0.0.1:7700\n')])
    expect(right.status).toBe(0)
    expect(parse(right.stdout)).toMatchObject({ listen: '127.0.0.1:7700', mode: 'embedded' })
    const wrong = await tocsin(['check', '-c', fileWith('lissten: 127.0.0.1:7700\n')])
    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toContain(':1 lissten: unknown key; did you mean `listen`?')
  })

  it('says in one line that a file is not there', async () => {
    const { status, stderr } = await tocsin(['start', '-c', '/nowhere/tocsin.yaml'])
    expect(status).toBe(2)
    expect(stderr).toBe('tocsin: the configuration file /nowhere/tocsin.yaml cannot be read (ENOENT)\n')
  })

  it('refuses to make topics without brokers', async () => {
    expect((await tocsin(['topics'])).stderr).toContain('names no brokers')
  })
})

describe('the doctor', () => {
  it('names each part that is down, with the remedy', async () => {
    const [kafka, redis, clickhouse, rt, hook, own] = await Promise.all(Array.from({ length: 6 }, deadPort))
    const file = fileWith(`
mode: distributed
listen: 127.0.0.1:${own}
kafka: { brokers: ['127.0.0.1:${kafka}'] }
redis: { url: 'redis://127.0.0.1:${redis}' }
clickhouse: { url: 'http://127.0.0.1:${clickhouse}' }
sinks:
  - { name: rt, kind: request-tracker, url: 'http://127.0.0.1:${rt}', username: root, password: { env: RT_PASSWORD } }
  - { name: hook, kind: webhook, url: 'http://127.0.0.1:${hook}/x' }
`)
    const { status, stdout } = await tocsin(['doctor', '-c', file], { RT_PASSWORD: 'canary-secret' })
    expect(status).toBe(1)
    for (const [part, port] of [
      ['kafka', kafka],
      ['clickhouse', clickhouse],
      ['sink rt', rt],
      ['sink hook', hook],
    ]) {
      expect(stdout).toMatch(
        new RegExp(`^FAIL  ${part} +127\\.0\\.0\\.1:${port} cannot be reached \\(ECONNREFUSED\\)$`, 'm'),
      )
    }
    expect(stdout).toMatch(new RegExp(`^FAIL  redis +127\\.0\\.0\\.1:${redis} cannot be used`, 'm'))
    expect(stdout).toMatch(/^WARN  tocsin +nothing answers at/m)
    expect(stdout).toContain('5 of 6 do not work')
    expect(stdout).not.toContain('canary-secret')
  })

  it('finds a wrong login of the ticket system', async () => {
    const server = createServer((_request, response) => response.writeHead(401).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const own = await deadPort()
    const file = fileWith(
      `listen: 127.0.0.1:${own}\nsinks:\n  - { name: rt, kind: request-tracker, url: 'http://127.0.0.1:${port}', username: root, password: { env: RT_PASSWORD } }\n`,
    )
    const { stdout } = await tocsin(['doctor', '-c', file], { RT_PASSWORD: 'wrong' })
    expect(stdout).toMatch(/^FAIL  sink rt +127\.0\.0\.1:\d+ refuses the login \(401\)$/m)
    server.close()
  })
})
