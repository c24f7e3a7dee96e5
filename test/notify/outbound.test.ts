import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Outbound, type OutboundOptions, redacted, retryAfterMs } from '../../notify/outbound.ts'
import { isPublicAddress } from '../../notify/targets.ts'

const NEVER = new AbortController().signal

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '127.8.9.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fc00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    '::7f00:1',
    'example.org',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each([
    '1.1.1.1',
    '172.32.0.1',
    '192.169.0.1',
    '8.8.8.8',
    '2606:4700:4700::1111',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('Retry-After', () => {
  const now_ms = Date.parse('2026-11-23T12:00:00Z')
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Mon, 23 Nov 2026 12:01:30 GMT', 90_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
    [undefined, null],
  ])('of %s is %s ms', (header, expected) => {
    expect(retryAfterMs(header, now_ms)).toBe(expected)
  })
})

describe('the HTTP client', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tocsin-outbound-'))
  let requests = 0
  let plain: Server
  let tls: Server
  beforeAll(async () => {
    const [key, cert] = [join(scratch, 'key.pem'), join(scratch, 'cert.pem')]
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    )
    const answer = (incoming: { url?: string | undefined }, outgoing: { end: (text: string) => void }) => {
      requests++
      outgoing.end(incoming.url === '/large' ? 'x'.repeat(3_000_000) : 'here')
    }
    plain = createServer(answer)
    tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer)
    await Promise.all(
      [plain, tls].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
    )
  })
  afterAll(() => {
    plain.closeAllConnections()
    plain.close()
    tls.close()
    rmSync(scratch, { recursive: true, force: true })
  })

  const port = (server: Server): number => (server.address() as AddressInfo).port
  /** Resolves every name to these addresses, in turn for each call. */
  const names = (...answers: string[][]): NonNullable<OutboundOptions['resolve']> => {
    let call = 0
    const resolve = (
      _name: string,
      _options: unknown,
      done: (error: null, found: { address: string; family: number }[]) => void,
    ) => {
      const addresses = answers[Math.min(call++, answers.length - 1)] ?? []
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }
    return resolve as unknown as NonNullable<OutboundOptions['resolve']>
  }
  const get = async (url: string, options: Partial<OutboundOptions> = {}) => {
    const outbound = new Outbound({ timeout_ms: 5_000, public_targets_only: false, ...options })
    try {
      return await outbound.request({ method: 'GET', url: new URL(url), headers: {} }, NEVER)
    } finally {
      outbound.close()
    }
  }

  it('reaches a plant’s own addresses when it may', async () => {
    expect(
      (await get(`http://plant.internal:${port(plain)}/`, { resolve: names(['127.0.0.1']) })).body.toString(),
    ).toBe('here')
  })

  it.each([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    'localhost',
  ])('refuses %s when only public targets are allowed', async (host) => {
    const before = requests
    await expect(get(`http://${host}:${port(plain)}/`, { public_targets_only: true })).rejects.toMatchObject({
      name: 'Reject',
      code: 'target-not-public',
    })
    expect(requests).toBe(before)
  })

  it('refuses a name with one address that is not public', async () => {
    const resolve = names(['93.184.216.34', '127.0.0.1'])
    await expect(
      get(`http://example.org:${port(plain)}/`, { public_targets_only: true, resolve }),
    ).rejects.toMatchObject({ code: 'target-not-public' })
  })

  it('connects to what it checked: each connection asks once, and a later answer is checked anew', async () => {
    const outbound = new Outbound({
      timeout_ms: 5_000,
      public_targets_only: false,
      resolve: names(['127.0.0.1'], ['0.0.0.1']),
    })
    const url = new URL(`http://rebind.example.org:${port(plain)}/`)
    for (const _ of [1, 2])
      expect((await outbound.request({ method: 'GET', url, headers: {} }, NEVER)).status).toBe(200)
    outbound.close()
  })

  it('bounds what it reads', async () => {
    const response = await get(`http://127.0.0.1:${port(plain)}/large`)
    expect(response).toMatchObject({ status: 200, truncated: true })
    expect(response.body.length).toBeLessThanOrEqual(1_048_576)
  })

  it('talks to no server whose certificate nobody vouches for', async () => {
    const before = requests
    await expect(get(`https://localhost:${port(tls)}/`)).rejects.toMatchObject({
      code: 'tls',
      not_sent: true,
    })
    expect(requests).toBe(before)
  })

  it('sends nothing once its time is over, though the process stood still while it connected', async () => {
    const before = requests
    const standStill = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    // After a timer the event loop looks at its sockets next, and only then at its timers again.
    await new Promise((resolve) => setTimeout(resolve, 1))
    const sent = get(`http://127.0.0.1:${port(plain)}/`, { timeout_ms: 100 })
    process.nextTick(() => process.nextTick(standStill))
    await expect(sent).rejects.toMatchObject({ code: 'timeout', not_sent: true })
    await get(`http://127.0.0.1:${port(plain)}/`)
    expect(requests).toBe(before + 1)
  })

  it('knows that a request was sent which had waited for a connection of another one', async () => {
    const dropping = createServer((incoming, outgoing) =>
      incoming.url === '/drop' ? incoming.socket.destroy() : outgoing.end(),
    )
    await new Promise<void>((done) => dropping.listen(0, '127.0.0.1', done))
    const outbound = new Outbound({ timeout_ms: 5_000, public_targets_only: false })
    const ask = (path: string) =>
      outbound.request(
        { method: 'GET', url: new URL(`http://127.0.0.1:${port(dropping)}${path}`), headers: {} },
        NEVER,
      )
    // More than there are connections.
    const before = Array.from({ length: 50 }, () => ask('/'))
    await expect(ask('/drop')).rejects.toMatchObject({ code: 'connection-lost', not_sent: false })
    await Promise.all(before)
    outbound.close()
    dropping.close()
  })

  it('says when a name does not resolve', async () => {
    await expect(get('http://nobody.invalid/')).rejects.toMatchObject({ code: 'dns', not_sent: true })
  })

  it('tells only scheme and host of a URL', async () => {
    const url = new URL('https://user:canary-1@127.0.0.1:1/hook/canary-2?key=canary-3')
    expect(redacted(url)).toBe('https://127.0.0.1:1')
    const error: unknown = await get(url.href).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'connect' })
    expect(`${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('canary')
  })
})
