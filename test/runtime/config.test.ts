import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig, parseConfig } from '../../runtime/config.ts'
import { Misconfigured } from '../../runtime/errors.ts'

function problems(text: string, env: Record<string, string> = {}): string[] {
  return parseConfig(text, env).problems.map(
    ({ path, line, message }) => `${line ?? '-'} ${path === '' ? '(file)' : path}: ${message}`,
  )
}

function fileWith(text: string, name = 'tocsin.yaml'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tocsin-config-')), name)
  writeFileSync(file, text)
  return file
}

const sink = (rest: string): string => `sinks:\n  - {name: chat, kind: webhook, ${rest}}\n`
const rule = (rest: string): string => `rules:\n  grouping:\n    - {name: a, group_by: [b], ${rest}}\n`

describe('a configuration that cannot be used', () => {
  const MALFORMED: [what: string, text: string, told: string[]][] = [
    [
      'a list that is not closed',
      'scope:\n  labels: [a\n',
      [
        '3 (file): not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      ],
    ],
    ['a tab', 'rules:\n\tgrouping: []\n', ['2 (file): not YAML: Tabs are not allowed as indentation']],
    [
      'a key that stands twice',
      'mode: embedded\nlisten: 127.0.0.1:1\nmode: embedded\n',
      ['3 (file): not YAML: Map keys must be unique'],
    ],
    [
      'two documents',
      'mode: embedded\n---\nmode: embedded\n',
      ['2 (file): not YAML: Source contains multiple documents; please use YAML.parseAllDocuments()'],
    ],
    ['a tag', 'data_dir: !env HOME\n', ['1 (file): not YAML: Unresolved tag: !env']],
    [
      'an alias without its anchor',
      'data_dir: *nowhere\n',
      ['1 (file): not YAML: Unresolved alias (the anchor must be set before the alias): nowhere'],
    ],
    [
      'aliases of aliases that would fill the memory',
      'a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\n',
      ['1 (file): not YAML: Excessive alias count indicates a resource exhaustion attack'],
    ],
    [
      'a text at the top',
      'start\n',
      ['1 (file): expected keys and values at the top, such as `listen: 127.0.0.1:7600`'],
    ],
    [
      'a list at the top',
      '- mode: embedded\n',
      ['1 (file): expected keys and values at the top, such as `listen: 127.0.0.1:7600`'],
    ],
    ['a mistyped key', 'lisen: 127.0.0.1:1\n', ['1 lisen: unknown key; did you mean `listen`?']],
    [
      'a mistyped key in a section',
      'rules:\n  resolve_timout_ms: 5\n',
      ['2 rules.resolve_timout_ms: unknown key; did you mean `resolve_timeout_ms`?'],
    ],
    [
      'a mistyped key in an entry of a list',
      'rules:\n  grouping:\n    - name: a\n      group_bye: [b]\n',
      [
        '3 rules.grouping.0.group_by: this key is needed here: expected a list',
        '4 rules.grouping.0.group_bye: unknown key; did you mean `group_by`?',
      ],
    ],
    [
      'a mistyped key of one kind of sink',
      sink('url: "https://x.example", min_severty: high'),
      ['2 sinks.0.min_severty: unknown key; did you mean `min_severity`?'],
    ],
    ['a key that resembles none', 'colour: red\n', ['1 colour: unknown key']],
    ['a number for a text', 'listen: 7600\n', ['1 listen: this is 7600: expected text']],
    ['a text for a number', 'partitions: many\n', ['1 partitions: this is "many": expected a number']],
    ['a fraction', 'partitions: 1.5\n', ['1 partitions: this is 1.5: expected a whole number']],
    [
      'a text for a truth',
      'history:\n  enabled: sometimes\n',
      ['2 history.enabled: this is "sometimes": expected true or false'],
    ],
    ['a text for a list', 'parts: api\n', ['1 parts: this is "api": expected a list']],
    ['a list for a section', 'telemetry: []\n', ['1 telemetry: this is []: expected keys and values']],
    [
      'a word that is none of those',
      'log_level: loud\n',
      ['1 log_level: this is "loud": expected one of debug, info, warn, error'],
    ],
    [
      'an unknown severity',
      'severity:\n  map:\n    disaster: huge\n',
      ['3 severity.map.disaster: this is "huge": expected one of critical, high, medium, low, info'],
    ],
    [
      'an unknown kind of sink',
      'sinks:\n  - {name: a, kind: webhok}\n',
      ['2 sinks.0.kind: this is "webhok": expected one of webhook, request-tracker, kafka'],
    ],
    [
      'a sink without its address',
      'sinks:\n  - name: a\n    kind: webhook\n',
      ['2 sinks.0.url: this key is needed here: expected text'],
    ],
    ['too small a number', 'partitions: 0\n', ['1 partitions: this is 0: expected at least 1']],
    [
      'too large a number',
      'rules: {resolve_timeout_ms: 7776000001}\n',
      ['1 rules.resolve_timeout_ms: this is 7776000001: expected at most 7776000000'],
    ],
    ['an empty text', "data_dir: ''\n", ['1 data_dir: this is "": expected at least 1 character']],
    ['no part at all', 'parts: []\n', ['1 parts: this is []: expected at least 1 item']],
    [
      'a kind of rule that there is not',
      'rules: {grouping: [{name: a, kind: any}]}\n',
      [
        '1 rules.grouping.0.kind: this is "any": expected one of group_by, time_frame, any_of, pairs, never, separate',
      ],
    ],
    [
      'a key of another kind of rule',
      'rules:\n  grouping:\n    - {name: a, group_by: [], within_ms: 5}\n',
      ['3 rules.grouping.0.within_ms: unknown key; entries of another `kind` have it'],
    ],
    [
      'too many labels',
      `scope: {labels: [${'a,'.repeat(9)}]}\n`,
      ['1 scope.labels: this is ["a","a","a","a","a","a","a","a","a"]: expected at most 8 items'],
    ],
    [
      'an address of the wrong protocol',
      sink('url: "ftp://x.example"'),
      ['2 sinks.0.url: this is "ftp://x.example": expected an address that begins with http:// or https://'],
    ],
    [
      'a Redis address of the wrong protocol',
      'redis: {url: "http://redis:6379"}\n',
      ['1 redis.url: this is "http://redis:6379": expected an address such as redis://host:6379/0'],
    ],
    [
      'brokers without a port',
      'kafka: {brokers: [kafka]}\n',
      ['1 kafka.brokers.0: this is "kafka": expected host:port'],
    ],
    [
      'an address without a port',
      'listen: localhost\n',
      ['1 listen: this is "localhost": expected address:port'],
    ],
    [
      'a port that does not exist',
      'listen: 127.0.0.1:70000\n',
      ['1 listen: the port is 70000; a port is at most 65535'],
    ],
    [
      'an open address without tokens',
      'data_dir: x\nlisten: 0.0.0.0:7600\n',
      [
        '2 listen: 0.0.0.0 is open to the network but api.tokens is empty; make a token with `tocsin token`, or listen on 127.0.0.1',
      ],
    ],
    [
      'a name that only looks like loopback',
      'listen: 127.0.0.1.example.org:7600\n',
      [
        '1 listen: 127.0.0.1.example.org is open to the network but api.tokens is empty; make a token with `tocsin token`, or listen on 127.0.0.1',
      ],
    ],
    [
      'the distributed mode without its services',
      'mode: distributed\n',
      [
        '- kafka: mode: distributed needs `kafka`',
        '- redis: mode: distributed needs `redis`',
        '- clickhouse: mode: distributed with history needs `clickhouse` (or history.enabled: false)',
      ],
    ],
    [
      'a source without brokers',
      'sources:\n  - {name: plant, kind: kafka, topics: [a]}\n',
      ['2 sources.0: no brokers are known: give `cluster` here or `kafka` at the top'],
    ],
    [
      'proofs that cannot be used',
      'sources:\n  - {name: a, kind: http, format: grafana, verify: {scheme: token, secret: {env: X}}}\n  - {name: b, kind: http, format: grafana, verify: {scheme: hmac-sha256, secret: {env: X}, query: q}}\n' +
        '  - {name: c, kind: http, format: cloudwatch, verify: {scheme: sns, secret: {env: X}}}\n  - {name: d, kind: http, format: grafana, verify: {scheme: token, header: h}}\n',
      [
        '2 sources.0.verify: say where the token is: `header`, or `query`',
        '3 sources.1.verify: say in which `header` the signature is, and no `query`',
        '4 sources.2.verify: scheme: sns needs `topics`, and no `secret`',
        '5 sources.3.verify: scheme: token needs `secret`, and no `topics`',
      ],
    ],
    [
      'Sparkplug by ways on which births are missed, and a login in the address of a broker',
      'sources:\n  - {name: a, kind: http, format: sparkplug}\n' +
        '  - {name: b, kind: mqtt, url: "mqtt://broker", topics: ["$share/g/spBv1.0/#"], format: sparkplug}\n' +
        '  - {name: c, kind: mqtt, url: "mqtt://me:secret@broker", topics: [a], format: uns}\n',
      [
        '2 sources.0.kind: format: sparkplug comes by `mqtt` or `kafka`',
        '3 sources.1.topics.0: topics of Sparkplug cannot be shared: each reader would miss births that others hear',
        '4 sources.2.url: an address must not hold a login, because addresses are shown; take it out and use the keys beside it',
      ],
    ],
    [
      'mappings that cannot be used',
      'sources:\n  - {name: a, kind: http, format: json}\n  - {name: b, kind: http, format: grafana, mapping: {labels: {a: "1"}}}\n' +
        '  - name: c\n    kind: http\n    format: json\n    mapping:\n      labels:\n        alertname: alarm.name\n      drop: alert.(\n      fingerprint_labels: [host]\n',
      [
        '2 sources.0: format: json needs `mapping`',
        '3 sources.1.mapping: a mapping needs `format: json`',
        '10 sources.2.mapping.drop: Expected IDENTIFIER, got LPAREN; an expression in CEL may name alert, body, headers',
        '9 sources.2.mapping.labels.alertname: Unknown variable: alarm; an expression in CEL may name alert, body, headers',
        '11 sources.2.mapping.fingerprint_labels: host is none of the labels of this mapping',
      ],
    ],
    [
      'readings that the format does not have, and expressions in them that cannot be used',
      `sources:
  - {name: a, kind: http, format: influx, csv: {labels: [machine]}, readings: {values: {t: sample.t}}}
  - {name: b, kind: http, format: grafana, time_unit: ms}
  - {name: c, kind: http, format: samples-json, readings: {values: {t: 'sample.'}}}
`,
      [
        '2 sources.0.readings: `readings` needs `format: samples-json`',
        '2 sources.0.csv: `csv` needs `format: samples-csv`',
        '3 sources.1.time_unit: `time_unit` needs a format of readings',
        '4 sources.2.readings.values.t: Expected IDENTIFIER, got EOF; an expression in CEL may name sample, body, headers, topic',
      ],
    ],
    [
      'readings of which nothing says what is measured',
      'sources:\n  - {name: d, kind: http, format: samples-json, readings: {labels: {a: sample.a}}}\n',
      ['2 sources.0.readings: expected `values`, or `metric` and `value`'],
    ],
    [
      'a name that is taken',
      'kafka: {brokers: ["k:1"]}\nsources:\n  - {name: a, kind: kafka, topics: [x]}\n  - {name: a, kind: kafka, topics: [y]}\n',
      ['4 sources.1.name: the name a is taken by an earlier entry'],
    ],
    [
      'a name that cannot be one',
      'sinks:\n  - {name: My chat, kind: webhook, url: "https://x.example"}\n',
      ['2 sinks.0.name: this is "My chat": expected a short name of lower-case letters, digits, - and _'],
    ],
    [
      'a matcher without an operator',
      rule('match: ["severity"]'),
      [
        '3 rules.grouping.0.match.0: bad matcher format: severity; a matcher reads like severity=~"critical|page"',
      ],
    ],
    [
      'a matcher whose expression is not RE2',
      rule('match: ["a=1", "a=~(("]'),
      [
        '3 rules.grouping.0.match.1: error parsing regexp: missing closing ): `^(?:(()$`; a matcher reads like severity=~"critical|page"',
      ],
    ],
    [
      'a matcher of a pair that is none',
      'rules:\n  grouping:\n    - {kind: pairs, name: p, pairs: [{a: ["b=1"], b: [x], within_ms: 1}]}\n',
      [
        '3 rules.grouping.0.pairs.0.b.0: bad matcher format: x; a matcher reads like severity=~"critical|page"',
      ],
    ],
    [
      'more alerts to open an incident than it takes',
      rule('open_after: {alerts: 3, within_ms: 1}, members_max: 2'),
      [
        '3 rules.grouping.0.open_after.alerts: an incident takes at most members_max (2) alerts, so it would never be opened',
      ],
    ],
    [
      'a test that expects an alert which it does not give',
      'rules:\n  tests:\n    - {name: t, given: [{at_s: 0, labels: {a: b}}], expect: [{alerts: [1]}]}\n',
      ['3 rules.tests.0.expect.0.alerts.0: there is no alert 1: those of `given` are 0 to 0'],
    ],
    [
      'a token in plain text',
      'api:\n  tokens:\n    - {name: a, role: admin, sha256: tcs_0123456789}\n',
      [
        '3 api.tokens.0.sha256: this is "tcs_0123456789": expected 64 hex digits, as `tocsin token` prints them',
      ],
    ],
    [
      'an unknown role',
      `api: {tokens: [{name: a, role: boss, sha256: '${'0'.repeat(64)}'}]}\n`,
      ['1 api.tokens.0.role: this is "boss": expected one of ingest, viewer, responder, admin'],
    ],
    [
      'a ticket system without a login',
      'sinks:\n  - {name: rt, kind: request-tracker, url: "https://rt.example.org", username: root}\n',
      ['2 sinks.0: no login is known: give `token`, or `username` and `password`'],
    ],
    [
      'a secret where its place should be named',
      sink('url: "https://x.example", secret: whsec_hunter2'),
      [
        '2 sinks.0.secret: this is not usable: expected where the secret is: {env: NAME_OF_A_VARIABLE} or {file: /path/of/a/file}',
      ],
    ],
    [
      'a password in an address',
      'redis:\n  url: redis://:hunter2@redis:6379/0\n',
      [
        '2 redis.url: an address must not hold a login, because addresses are shown; take it out and use the keys beside it',
      ],
    ],
  ]

  it.each(MALFORMED)('says what is wrong with %s', (_what, text, told) => {
    expect(problems(text)).toEqual(told)
    expect(parseConfig(text, {}).config).toBeNull()
  })

  it('never repeats a secret that stands in the wrong place', () => {
    const texts = [
      sink('url: "https://x.example", secret: hunter2'),
      sink('url: "ftp://user:hunter2@x.example"'),
      'sinks:\n  - {name: rt, kind: request-tracker, url: "https://x.example", token: [hunter2]}\n',
      'clickhouse: {url: "http://user:hunter2@x.example"}\n',
    ]
    for (const text of texts) {
      expect(problems(text)).toHaveLength(1)
      expect(problems(text).join()).not.toContain('hunter2')
    }
  })

  it('tells everything at once, with the file and the line', () => {
    const file = fileWith('mode: embeded\nlog_level: info\npartitions: 0\n')
    expect(() => loadConfig(file, {})).toThrow(
      new Misconfigured(
        'config-invalid',
        `the configuration cannot be used:\n  ${file}:1 mode: this is "embeded": expected one of embedded, distributed\n  ${file}:3 partitions: this is 0: expected at least 1`,
      ),
    )
  })

  it('may be a file that is not there', () => {
    const file = join(tmpdir(), 'tocsin-no-such-file.yaml')
    expect(() => loadConfig(file, {})).toThrow(
      new Misconfigured('config-unreadable', `the configuration file ${file} cannot be read (ENOENT)`),
    )
  })
})

describe('a configuration that can be used', () => {
  it.each([
    ['nothing', ''],
    ['comments only', '# nothing\n'],
    ['sections whose lines are all comments', 'sources:\n  # - name: x\nrules:\nseverity:\n  map:\n'],
  ])('may be %s: the defaults', (_what, text) => {
    const { config, problems: found } = parseConfig(text, {})
    expect(found).toEqual([])
    expect(config).toEqual(parseConfig('{}', {}).config)
    expect(config).toMatchObject({
      mode: 'embedded',
      listen: '127.0.0.1:7600',
      data_dir: './data',
      sources: [],
      severity: { map: {} },
    })
  })

  it.each(['127.0.0.1:7600', '127.8.9.10:1', 'localhost:7600', '[::1]:7600', '::1:7600'])(
    'may listen on %s without tokens',
    (listen) => {
      expect(problems(`listen: '${listen}'\n`)).toEqual([])
    },
  )

  it('may listen on any address with a token', () => {
    expect(
      problems(
        `listen: 0.0.0.0:7600\napi: {tokens: [{name: a, role: admin, sha256: '${'0'.repeat(64)}'}]}\n`,
      ),
    ).toEqual([])
  })

  it('may use aliases in reason', () => {
    expect(problems('scope: {labels: &names [site]}\nentity: {labels: *names}\n')).toEqual([])
  })

  it('has a version of its rules that only they change', () => {
    const version = (text: string) => loadConfig(fileWith(text), {}).rules.version
    expect(version('log_level: debug\n')).toBe(version(''))
    expect(version('rules: {reopen_within_ms: 1}\n')).not.toBe(version(''))
  })
})

describe('the environment', () => {
  it('overrides the address and the folder', () => {
    const env = { TOCSIN_LISTEN: '127.0.0.1:7777', TOCSIN_DATA_DIR: '/srv/tocsin' }
    expect(parseConfig('listen: 127.0.0.1:1\n', env).config).toMatchObject({
      listen: '127.0.0.1:7777',
      data_dir: '/srv/tocsin',
    })
    expect(loadConfig(undefined, env).config).toMatchObject({
      listen: '127.0.0.1:7777',
      data_dir: '/srv/tocsin',
    })
  })

  it('does not override with nothing', () => {
    expect(
      parseConfig('listen: 127.0.0.1:1\n', { TOCSIN_LISTEN: '', TOCSIN_DATA_DIR: '' }).config,
    ).toMatchObject({ listen: '127.0.0.1:1', data_dir: './data' })
  })

  it('is named when it is what is wrong', () => {
    expect(problems('listen: 127.0.0.1:1\n', { TOCSIN_LISTEN: 'everywhere' })).toEqual([
      '- listen: this is "everywhere": expected address:port (from TOCSIN_LISTEN)',
    ])
    expect(() => loadConfig(undefined, { TOCSIN_LISTEN: '0.0.0.0:1' })).toThrow(
      'environment listen: 0.0.0.0 is open to the network but api.tokens is empty; make a token with `tocsin token`, or listen on 127.0.0.1 (from TOCSIN_LISTEN)',
    )
  })
})

describe('secrets', () => {
  it('come from the environment', () => {
    const { secret } = loadConfig(undefined, { TOCSIN_RT_TOKEN: 's3cret' })
    expect(secret({ env: 'TOCSIN_RT_TOKEN' })).toBe('s3cret')
  })

  it('come from files, without the newline at their end', () => {
    const file = fileWith('s3cret\n', 'token')
    expect(loadConfig(undefined, {}).secret({ file })).toBe('s3cret')
  })

  it.each([{}, { TOCSIN_RT_TOKEN: '' }])('that the environment %j lacks are named', (env) => {
    const { secret } = loadConfig(undefined, env)
    expect(() => secret({ env: 'TOCSIN_RT_TOKEN' })).toThrow(
      new Misconfigured(
        'secret-missing',
        'the environment variable TOCSIN_RT_TOKEN, which holds a secret of the configuration, is not set',
      ),
    )
  })

  it('whose file is not there are named', () => {
    const file = join(tmpdir(), 'tocsin-no-such-secret')
    expect(() => loadConfig(undefined, {}).secret({ file })).toThrow(
      new Misconfigured('secret-unreadable', `the secret file ${file} cannot be read (ENOENT)`),
    )
  })
})
