import type { Config } from './config.ts'
import { expressionFaults, mappingFaults } from './mapping.ts'
import { relabelFaults } from './relabel.ts'
import { parseMatcher } from './matcher_syntax.ts'
import { compileMatcher, MatcherError } from './matching.ts'
import { readingsExpressions } from './readings_mapping.ts'
import { BUILT_IN_SOURCES, isSampleFormat, MAPPED_FORMAT } from './source_formats.ts'

export interface Contradiction {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What types cannot say of a configuration: parts that need each other, and safety. */
export function contradictions(config: Config): Contradiction[] {
  return [
    ...listening(config),
    ...missingServices(config),
    ...missingBrokers(config),
    ...unreadTopics(config),
    ...missingSinkBrokers(config),
    ...unusableProofs(config),
    ...unusableMappings(config),
    ...unusableRelabellings(config),
    ...duplicates(['tables'], config.tables),
    ...unusableReadings(config),
    ...unusableSparkplug(config),
    ...duplicates(['sources'], config.sources),
    ...duplicates(['built_in_sources'], config.built_in_sources),
    ...duplicates(['sinks'], config.sinks),
    ...duplicates(['detectors'], config.detectors),
    ...duplicates(['stops'], config.stops),
    ...timelessStops(config),
    ...duplicates(['rules', 'grouping'], config.rules.grouping),
    ...duplicates(['rules', 'maintenance'], config.rules.maintenance),
    ...duplicates(['rules', 'suppression'], config.rules.suppression),
    ...duplicates(['api', 'tokens'], config.api.tokens),
    ...brokenMatchers(config),
    ...endlessWork(config),
    ...duplicates(['rules', 'heartbeats'], config.rules.heartbeats),
    ...unheardHeartbeats(config),
    ...endlessFlapping(config),
    ...duplicates(['rules', 'tests'], config.rules.tests),
    ...impossibleOpenings(config),
    ...unknownAlerts(config),
    ...unusableLogins(config),
    ...visiblePasswords(config),
  ]
}

function listening({ listen, api }: Config): Contradiction[] {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon)
  const found: Contradiction[] = []
  if (!isLoopback(host) && api.tokens.length === 0) {
    found.push({
      path: ['listen'],
      message: `${host} is open to the network but api.tokens is empty; make a token with \`tocsin token\`, or listen on 127.0.0.1`,
    })
  }
  const port = listen.slice(colon + 1)
  if (Number(port) > 65_535)
    found.push({ path: ['listen'], message: `the port is ${port}; a port is at most 65535` })
  return found
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const LOOPBACK = new RegExp(`^(?:localhost|::1|\\[::1\\]|127\\.${OCTET}\\.${OCTET}\\.${OCTET})$`)

function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

function missingServices({ mode, kafka, redis, clickhouse, history }: Config): Contradiction[] {
  if (mode !== 'distributed') return []
  const found: Contradiction[] = []
  if (!kafka) found.push({ path: ['kafka'], message: 'mode: distributed needs `kafka`' })
  if (!redis) found.push({ path: ['redis'], message: 'mode: distributed needs `redis`' })
  if (history.enabled && !clickhouse) {
    found.push({
      path: ['clickhouse'],
      message: 'mode: distributed with history needs `clickhouse` (or history.enabled: false)',
    })
  }
  return found
}

function timelessStops({ stops }: Config): Contradiction[] {
  return stops.flatMap(({ weekly, state }, i) =>
    weekly || state ? [] : [{ path: ['stops', i], message: 'say when: `weekly`, or `state`' }],
  )
}

function missingBrokers({ sources, kafka }: Config): Contradiction[] {
  return sources.flatMap((source, i) =>
    source.kind !== 'kafka' || source.cluster || kafka
      ? []
      : [
          {
            path: ['sources', i],
            message: 'no brokers are known: give `cluster` here or `kafka` at the top',
          },
        ],
  )
}

function unreadTopics({ sources }: Config): Contradiction[] {
  return sources.flatMap((source, i) => {
    if (source.kind !== 'kafka') return []
    const { topics, topic_pattern } = source
    if (topic_pattern !== undefined) {
      const message = matcherFault(`topic=~${JSON.stringify(topic_pattern)}`)
      return message === null ? [] : [{ path: ['sources', i, 'topic_pattern'], message }]
    }
    return topics.length > 0
      ? []
      : [{ path: ['sources', i], message: 'say what to read: `topics`, `topic_pattern`, or both' }]
  })
}

function missingSinkBrokers({ sinks, kafka }: Config): Contradiction[] {
  return sinks.flatMap((sink, i) =>
    sink.kind !== 'kafka' || sink.cluster || kafka
      ? []
      : [{ path: ['sinks', i], message: 'no brokers are known: give `cluster` here or `kafka` at the top' }],
  )
}

function unusableProofs({ sources }: Config): Contradiction[] {
  return sources.flatMap((source, i) => {
    if (source.kind !== 'http' || !source.verify) return []
    const { scheme, header, query, secret, topics } = source.verify
    const path = ['sources', i, 'verify']
    if (scheme === 'sns')
      return topics?.length && !secret
        ? []
        : [{ path, message: 'scheme: sns needs `topics`, and no `secret`' }]
    if (!secret || topics) return [{ path, message: `scheme: ${scheme} needs \`secret\`, and no \`topics\`` }]
    if (scheme === 'token')
      return (header ?? query) ? [] : [{ path, message: 'say where the token is: `header`, or `query`' }]
    return header && !query
      ? []
      : [{ path, message: 'say in which `header` the signature is, and no `query`' }]
  })
}

function unusableMappings({ sources }: Config): Contradiction[] {
  return sources.flatMap(({ format, mapping }, i) => {
    if (format !== MAPPED_FORMAT)
      return mapping ? [{ path: ['sources', i, 'mapping'], message: 'a mapping needs `format: json`' }] : []
    if (!mapping) return [{ path: ['sources', i], message: 'format: json needs `mapping`' }]
    return mappingFaults(mapping).map(({ path, message }) => ({
      path: ['sources', i, 'mapping', ...path],
      message,
    }))
  })
}

function unusableRelabellings({ sources, built_in_sources, tables }: Config): Contradiction[] {
  const known = new Set(tables.map(({ name }) => name))
  const all = [
    ...sources.map(({ relabel, mapping }, i) => ({ path: ['sources', i], relabel, mapping })),
    ...built_in_sources.map(({ relabel }, i) => ({ path: ['built_in_sources', i], relabel, mapping: null })),
  ]
  return all.flatMap(({ path: where, relabel, mapping }) => {
    const unknown = [...JSON.stringify([relabel, mapping]).matchAll(LOOKED_UP)].filter(
      ([, table = '']) => !known.has(table),
    )
    return [
      ...unknown.map(([, table = '']) => ({
        path: where,
        message: `lookup: there is no table ${table}; \`tables\` has ${[...known].join(', ') || 'none'}`,
      })),
      ...(relabel ? relabelFaults(relabel) : []).map(({ path, message }) => ({
        path: [...where, 'relabel', ...path],
        message,
      })),
    ]
  })
}

function unusableReadings({ sources }: Config): Contradiction[] {
  return sources.flatMap(({ format, readings, csv, time_unit }, i) => {
    const path = ['sources', i]
    const misplaced = Object.entries({
      readings: readings !== undefined && format !== 'samples-json' ? 'needs `format: samples-json`' : null,
      csv: csv !== undefined && format !== 'samples-csv' ? 'needs `format: samples-csv`' : null,
      time_unit: time_unit !== undefined && !isSampleFormat(format) ? 'needs a format of readings' : null,
    }).flatMap(([key, message]) =>
      message === null ? [] : [{ path: [...path, key], message: `\`${key}\` ${message}` }],
    )
    const faults = readings === undefined ? [] : expressionFaults(readingsExpressions(readings))
    return [
      ...misplaced,
      ...faults.map(({ path: inner, message }) => ({ path: [...path, 'readings', ...inner], message })),
    ]
  })
}

/** A table that is named outright, in JSON of the expression. */
const LOOKED_UP = /\blookup\(\s*(?:\\"|')([\w-]+)(?:\\"|')/g

/** Births must be heard by whoever hears what they define. */
function unusableSparkplug({ sources }: Config): Contradiction[] {
  return sources.flatMap((source, i) => {
    if (source.format !== 'sparkplug') return []
    if (source.kind === 'http')
      return [{ path: ['sources', i, 'kind'], message: 'format: sparkplug comes by `mqtt` or `kafka`' }]
    const shared =
      source.kind === 'mqtt' ? source.topics.findIndex((topic) => topic.startsWith('$share/')) : -1
    return shared < 0
      ? []
      : [
          {
            path: ['sources', i, 'topics', shared],
            message: 'topics of Sparkplug cannot be shared: each reader would miss births that others hear',
          },
        ]
  })
}

function duplicates(where: readonly string[], items: readonly { readonly name: string }[]): Contradiction[] {
  return items.flatMap(({ name }, i) =>
    items.findIndex((other) => other.name === name) < i
      ? [{ path: [...where, i, 'name'], message: `the name ${name} is taken by an earlier entry` }]
      : [],
  )
}

function brokenMatchers({ rules }: Config): Contradiction[] {
  const faults = (path: readonly (string | number)[], texts: readonly string[]) =>
    texts.flatMap((text, i) => {
      const message = matcherFault(text)
      return message === null ? [] : [{ path: ['rules', ...path, i], message }]
    })
  return [
    ...rules.grouping.flatMap((rule, i) => {
      if (rule.kind === 'separate') return []
      if (rule.kind !== 'pairs') return faults(['grouping', i, 'match'], rule.match)
      return rule.pairs.flatMap(({ a, b }, n) => [
        ...faults(['grouping', i, 'pairs', n, 'a'], a),
        ...faults(['grouping', i, 'pairs', n, 'b'], b),
      ])
    }),
    ...rules.heartbeats.flatMap(({ match = [] }, i) => faults(['heartbeats', i, 'match'], match)),
    ...rules.maintenance.flatMap(({ match }, i) => faults(['maintenance', i, 'match'], match)),
    ...rules.suppression.flatMap(({ source, target }, i) => [
      ...faults(['suppression', i, 'source'], source),
      ...faults(['suppression', i, 'target'], target),
    ]),
  ]
}

/** The alert has labels of its own beside them. */
const HEARTBEAT_LABELS = 32

function unheardHeartbeats({ rules, sources }: Config): Contradiction[] {
  const known = new Set<string>([...BUILT_IN_SOURCES, ...sources.map(({ name }) => name)])
  return rules.heartbeats.flatMap(({ source, match, labels }, i) => {
    const path = ['rules', 'heartbeats', i]
    if (Object.keys(labels).length > HEARTBEAT_LABELS)
      return [{ path: [...path, 'labels'], message: `expected at most ${HEARTBEAT_LABELS} labels` }]
    if (source === undefined)
      return match ? [] : [{ path, message: 'say what is to be heard: `source`, `match`, or both' }]
    return known.has(source)
      ? []
      : [{ path: [...path, 'source'], message: `there is no source ${source}: ${[...known].join(', ')}` }]
  })
}

function impossibleOpenings({ rules }: Config): Contradiction[] {
  return rules.grouping.flatMap((rule, i) =>
    'open_after' in rule && rule.open_after && rule.open_after.alerts > rule.members_max
      ? [
          {
            path: ['rules', 'grouping', i, 'open_after', 'alerts'],
            message: `an incident takes at most members_max (${rule.members_max}) alerts, so it would never be opened`,
          },
        ]
      : [],
  )
}

/** Numbers of alerts that a test does not give. */
function unknownAlerts({ rules }: Config): Contradiction[] {
  return rules.tests.flatMap(({ given, expect }, i) =>
    expect.flatMap(({ alerts }, j) =>
      alerts.flatMap((alert, n) =>
        typeof alert === 'number' && alert >= given.length
          ? [
              {
                path: ['rules', 'tests', i, 'expect', j, 'alerts', n],
                message: `there is no alert ${alert}: those of \`given\` are 0 to ${given.length - 1}`,
              },
            ]
          : [],
      ),
    ),
  )
}

function endlessWork({ rules }: Config): Contradiction[] {
  return rules.maintenance.flatMap((window, i) =>
    window.kind === 'once' && Date.parse(window.to) <= Date.parse(window.from)
      ? [{ path: ['rules', 'maintenance', i, 'to'], message: 'the end is not after the beginning' }]
      : [],
  )
}

function endlessFlapping({ rules }: Config): Contradiction[] {
  const { start_percent, end_percent } = rules.flapping
  return end_percent <= start_percent
    ? []
    : [
        {
          path: ['rules', 'flapping', 'end_percent'],
          message: `it is above start_percent (${start_percent})`,
        },
      ]
}

function matcherFault(text: string): string | null {
  try {
    compileMatcher(parseMatcher(text))
    return null
  } catch (error) {
    if (!(error instanceof MatcherError)) throw error
    return `${error.message}; a matcher reads like severity=~"critical|page"`
  }
}

function unusableLogins({ sinks }: Config): Contradiction[] {
  return sinks.flatMap((sink, i) => {
    if (sink.kind !== 'request-tracker' || sink.token) return []
    if (sink.username !== undefined && sink.password) return []
    return [{ path: ['sinks', i], message: 'no login is known: give `token`, or `username` and `password`' }]
  })
}

/** The text of the configuration is shown to viewers, and addresses reach log lines. */
function visiblePasswords(config: Config): Contradiction[] {
  const urls: [path: (string | number)[], url: string | undefined][] = [
    [['public_url'], config.public_url],
    ...config.sinks.map((sink, i): [(string | number)[], string | undefined] => [
      ['sinks', i, 'url'],
      'url' in sink ? sink.url : undefined,
    ]),
    ...config.sources.flatMap((source, i): [(string | number)[], string][] =>
      source.kind === 'mqtt' ? [[['sources', i, 'url'], source.url]] : [],
    ),
    [['redis', 'url'], config.redis?.url],
    [['clickhouse', 'url'], config.clickhouse?.url],
    [['telemetry', 'otlp_traces_url'], config.telemetry.otlp_traces_url],
  ]
  return urls.flatMap(([path, url]) => {
    if (url === undefined || !URL.canParse(url)) return []
    const { username, password } = new URL(url)
    if (username === '' && password === '') return []
    return [
      {
        path,
        message:
          'an address must not hold a login, because addresses are shown; take it out and use the keys beside it',
      },
    ]
  })
}
