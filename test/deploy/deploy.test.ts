import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configNode, keysOf } from '../../deploy/config/keys.ts'
import { outputs } from '../../deploy/config/outputs.ts'
import { parseConfig } from '../../runtime/config.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

describe('what is generated from the schemas', () => {
  it.each([...outputs()])('%s is current; npm run generate makes it so', (path, text) => {
    // The layout of JSON is the formatter's.
    const content = (of: string): unknown => (path.endsWith('.json') ? JSON.parse(of) : of)
    expect(content(read(path))).toEqual(content(text))
  })
})

describe('deploy/tocsin.example.yaml', () => {
  const text = read('deploy/tocsin.example.yaml')
  const uncommented = (from: string): string => from.replaceAll(/^( *)#(?! [^ ])/gm, '$1')

  it('changes nothing as it is', () => {
    const { config, problems } = parseConfig(text, {})
    expect(problems).toEqual([])
    expect(config).toEqual(parseConfig('', {}).config)
  })

  it('is right when every example is taken', () => {
    const once = uncommented(text)
    const twice = uncommented(once)
    for (const taken of [once, twice]) expect(parseConfig(taken, {}).problems).toEqual([])
    expect(parseConfig(twice, {}).config).toMatchObject({
      sinks: [{ kind: 'webhook' }, { kind: 'request-tracker' }, { kind: 'kafka' }],
      sources: ['plant', 'shop', 'cloud', 'aws', 'own', 'presses', 'ovens', 'shifts', 'line-3'].map(
        (name) => ({
          name,
        }),
      ),
      kafka: { sasl: { mechanism: 'scram-sha-512' } },
      redis: { password: { env: 'TOCSIN_REDIS_PASSWORD' } },
    })
  })

  it('holds every key, and every key says what it means', () => {
    for (const { path, node } of keysOf(configNode())) {
      expect.soft(node.description, path).toBeTruthy()
    }
    // Examples do not go deeper than this; what is inside is in the table of docs/configuration.md.
    for (const { path } of keysOf(configNode()).filter((key) => key.path.split('.').length < 4)) {
      expect.soft(text, path).toMatch(new RegExp(`^[ #-]*${path.split('.').at(-1)}:`, 'm'))
    }
  })

  it('names a schema that exists, for editors', () => {
    const schema = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? ''
    expect(existsSync(join(ROOT, 'deploy', schema))).toBe(true)
  })
})

describe('deploy/Dockerfile', () => {
  const dockerfile = read('deploy/Dockerfile')
  const ignored = read('deploy/Dockerfile.dockerignore').split('\n')

  it('copies only what the build is given', () => {
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    )
    expect(copies.length).toBeGreaterThan(5)
    for (const source of copies) {
      expect(existsSync(join(ROOT, source)), source).toBe(true)
      expect(ignored, source).not.toContain(normalize(source).replace(/\/$/, ''))
    }
  })

  it('does not leave out what npm run build needs', () => {
    const build = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const script = /node (\S+)/.exec(build.scripts['build'] ?? '')?.[1] ?? ''
    const needed = [
      script,
      'tsconfig.build.json',
      'tsconfig.json',
      ...(JSON.parse(read('tsconfig.build.json')) as { include: string[] }).include,
    ]
    for (const path of needed) expect(ignored).not.toContain(path.split('/')[0])
  })

  it('runs the Node that the tests run, without its rights', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>
    }
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${devDependencies['node']}-`)
    expect(dockerfile.lastIndexOf('\nUSER node\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM '))
    expect(dockerfile).toMatch(/npm ci --omit=dev/)
  })
})

interface Compose {
  readonly services: Record<string, ComposeService>
  readonly networks: Record<string, unknown>
  readonly volumes: Record<string, unknown>
}
interface ComposeService {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Record<string, string>
  readonly depends_on?: Record<string, { condition: string }>
  readonly healthcheck?: { test: string[] }
  readonly ports?: string[]
  readonly volumes?: string[]
  readonly networks: string[]
  readonly stop_grace_period?: string
}

describe('deploy/compose.yaml', () => {
  const text = read('deploy/compose.yaml')
  const compose = parse(text, { merge: true }) as Compose
  const services = Object.entries(compose.services)
  const workers = services.filter(([name]) => name.startsWith('tocsin'))
  const { config, problems } = parseConfig(read('deploy/tocsin.distributed.yaml'), {})

  it('runs workers with a configuration that is right', () => {
    expect(problems).toEqual([])
    expect(config?.mode).toBe('distributed')
    expect(workers).toHaveLength(2)
    for (const [, { command, volumes }] of workers) {
      expect(command).toEqual(['start', '--config', '/etc/tocsin/tocsin.yaml'])
      expect(volumes).toEqual(['./tocsin.distributed.yaml:/etc/tocsin/tocsin.yaml:ro'])
    }
  })

  it('lets nobody in before a token is made', () => {
    expect(config?.api.tokens.map(({ sha256 }) => sha256)).toEqual(['0'.repeat(64)])
    expect(
      services.flatMap(([, { ports }]) => ports ?? []).every((port) => port.startsWith('127.0.0.1:')),
    ).toBe(true)
    expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(
      workers.map(([name]) => name),
    )
    expect(compose.networks['services']).toEqual({ internal: true })
  })

  it('agrees with the configuration on ports and addresses', () => {
    const port = config?.listen.split(':').at(-1)
    expect(read('deploy/Dockerfile')).toContain(`EXPOSE ${port}\n`)
    expect(read('deploy/Dockerfile')).toContain(`TOCSIN_LISTEN=${config?.listen} `)
    for (const [, { ports }] of workers) expect(ports?.[0]?.split(':').at(-1)).toBe(port)
    expect(config?.public_url).toBe(`http://${workers[0]?.[1].ports?.[0]?.replace(/:\d+$/, '')}`)
    const kafka = compose.services['kafka']?.environment ?? {}
    expect(kafka['KAFKA_ADVERTISED_LISTENERS']).toBe(`PLAINTEXT://${config?.kafka?.brokers[0]}`)
    expect(compose.services).toHaveProperty(new URL(config?.redis?.url ?? '').hostname)
    expect(compose.services).toHaveProperty(new URL(config?.clickhouse?.url ?? '').hostname)
    const clickhouse = compose.services['clickhouse']?.environment ?? {}
    expect([clickhouse['CLICKHOUSE_USER'], clickhouse['CLICKHOUSE_DB']]).toEqual([
      config?.clickhouse?.username,
      config?.clickhouse?.database,
    ])
  })

  it('gives the workers the secrets that the configuration names', () => {
    const named = [...read('deploy/tocsin.distributed.yaml').matchAll(/\{ env: (\w+) \}/g)].map(
      (match) => match[1],
    )
    expect(named).toHaveLength(2)
    for (const [, { environment }] of workers)
      expect(Object.keys(environment ?? {}).toSorted()).toEqual(
        named.toSorted((a = '', b = '') => a.localeCompare(b)),
      )
    expect(text).not.toMatch(/PASSWORD: (?!\$\{)/)
  })

  it('keeps the state of Redis', () => {
    expect(compose.services['redis']?.command?.join(' ')).toMatch(
      /--appendonly yes .*--maxmemory-policy noeviction/,
    )
  })

  it('pins every version, keeps every volume, and waits until what it needs is healthy', () => {
    for (const [name, { image, depends_on, volumes, healthcheck, networks }] of services) {
      expect(image, name).toMatch(/:\d+\.\d+(\.\d+)?(-\w+)?$/)
      for (const [needed, { condition }] of Object.entries(depends_on ?? {})) {
        expect(compose.services, name).toHaveProperty(needed)
        expect(condition).toBe('service_healthy')
      }
      const kept = (volumes ?? []).filter((volume) => !volume.startsWith('.'))
      for (const volume of kept) expect(compose.volumes, name).toHaveProperty(volume.split(':')[0] ?? '')
      for (const network of networks) expect(compose.networks, name).toHaveProperty(network)
      // The workers' is in the image.
      expect(healthcheck !== undefined || name.startsWith('tocsin'), name).toBe(true)
    }
    expect(workers[0]?.[1].depends_on).toMatchObject({ kafka: {}, redis: {}, clickhouse: {} })
    expect(read('deploy/Dockerfile')).toContain('HEALTHCHECK')
  })

  it('runs the version of this checkout', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    for (const [, { image }] of workers) expect(image).toBe(`tocsin:${version}`)
  })
})

describe('deploy/tocsin.service', () => {
  const unit = read('deploy/tocsin.service')

  it('gives the program time to stop, a folder of its own, and no more rights than it needs', () => {
    const stop_timeout_ms = Number(
      /STOP_TIMEOUT_MS = ([\d_]+)/.exec(read('cli/start.ts'))?.[1]?.replaceAll('_', ''),
    )
    const timeout_s = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])
    expect(timeout_s * 1_000).toBeGreaterThan(stop_timeout_ms)
    for (const line of [
      'DynamicUser=yes',
      'StateDirectory=tocsin',
      'Environment=TOCSIN_DATA_DIR=%S/tocsin',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'Restart=on-failure',
      'RestartPreventExitStatus=2',
    ]) {
      expect(unit.split('\n')).toContain(line)
    }
  })

  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))('is understood by systemd', () => {
    const told = execFileSync(
      '/bin/sh',
      ['-c', '/usr/bin/systemd-analyze verify --man=no deploy/tocsin.service 2>&1 || true'],
      { cwd: ROOT, encoding: 'utf8' },
    )
    expect(told.split('\n').filter((line) => line.includes('tocsin.service'))).toEqual([])
  })
})
