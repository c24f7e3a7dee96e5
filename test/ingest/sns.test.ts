import { execFileSync } from 'node:child_process'
import { createSign } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readFromSns, SnsProof } from '../../ingest/http/sns.ts'
import { httpSources } from '../../ingest/http/sources.ts'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import { type SourceServer, sourceServer } from './source_server.ts'
import { VENDORS } from './vendor_seeds.ts'

const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alarms'
const CERTIFICATE_PATH = '/SimpleNotificationService-0123456789abcdef.pem'
const CERTIFICATE_URL = `https://sns.eu-central-1.amazonaws.com${CERTIFICATE_PATH}`
const SUBSCRIBE_URL = `https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=t`

/** A key and its certificate, as SNS has. */
function keyPair(): { readonly key: string; readonly certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-sns-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const request = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=sns.amazonaws.com -keyout ${key} -out ${certificate}`
  execFileSync('openssl', request.split(' '), { stdio: 'pipe' })
  return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') }
}

type Message = Record<string, string>

const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: [
    'Message',
    'MessageId',
    'SubscribeURL',
    'Timestamp',
    'Token',
    'TopicArn',
    'Type',
  ],
}

function sign(message: Message, key: string, version = '2'): Message {
  const names = (SIGNED[message['Type'] ?? ''] ?? []).filter((name) => message[name] !== undefined)
  const text = names.map((name) => `${name}\n${message[name]}\n`).join('')
  const Signature = createSign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256')
    .update(text)
    .sign(key, 'base64')
  return { SigningCertURL: CERTIFICATE_URL, ...message, SignatureVersion: version, Signature }
}

const NOTIFICATION = VENDORS.cloudwatch.fires as Message
const SUBSCRIPTION: Message = {
  Type: 'SubscriptionConfirmation',
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  Token: 't',
  TopicArn: TOPIC,
  Message: 'You have chosen to subscribe to the topic.',
  SubscribeURL: SUBSCRIBE_URL,
  Timestamp: '2026-11-25T11:58:00.200Z',
}

describe('messages of Amazon SNS', () => {
  const ours = keyPair()
  const stranger = keyPair()
  let amazon: Server
  let asked: string[]
  let is_up: boolean
  let server: SourceServer

  beforeAll(async () => {
    amazon = createServer((request, response) => {
      asked.push(request.url ?? '')
      if (!is_up) response.statusCode = 500
      response.end(request.url === CERTIFICATE_PATH ? ours.certificate : '<ok/>')
    })
    await new Promise<void>((resolve) => amazon.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => amazon.close())

  beforeEach(async () => {
    asked = []
    is_up = true
    const { port } = amazon.address() as AddressInfo
    // Amazon's addresses lead to the server of this test; the rest of the way is the real one.
    const get = (url: string) => readFromSns(url.replace(/^https:\/\/[^/]+/, `http://127.0.0.1:${port}`))
    const decode = sourceDecoder({ format: 'cloudwatch', labels: {}, expire_after_ms: 3_600_000 })
    const proof = new SnsProof({ get, now: () => Date.now(), topics: [TOPIC] })
    server = await sourceServer((parts) => httpSources(parts, [{ name: 'aws', decode, proof }]))
  })
  afterEach(() => server.close())

  const post = async (message: Message) =>
    (await server.post('/api/v1/sources/aws', JSON.stringify(message), { 'content-type': 'text/plain' }))
      .status

  it.each(['1', '2'])('are taken when the signature (version %s) is right', async (version) => {
    expect(await post(sign(NOTIFICATION, ours.key, version))).toBe(200)
    expect(await post(sign(NOTIFICATION, ours.key, version))).toBe(200)
    expect(server.log.records).toHaveLength(2)
    expect(asked).toEqual([CERTIFICATE_PATH])
  })

  it('confirm a subscription to a topic of the configuration', async () => {
    expect(await post(sign(SUBSCRIPTION, ours.key))).toBe(200)
    expect(asked).toEqual([CERTIFICATE_PATH, SUBSCRIBE_URL.slice(SUBSCRIBE_URL.indexOf('/?'))])
    expect(server.log.appends).toEqual([])
  })

  it('are asked for again while SNS does not answer', async () => {
    is_up = false
    expect(await post(sign(NOTIFICATION, ours.key))).toBeGreaterThanOrEqual(500)
    expect(server.log.appends).toEqual([])
  })

  it.each<[string, () => Message]>([
    ['signed by somebody else', () => sign(NOTIFICATION, stranger.key)],
    ['not signed', () => NOTIFICATION],
    [
      'changed after they were signed',
      () => ({ ...sign(NOTIFICATION, ours.key), Message: '{"NewStateValue":"OK"}' }),
    ],
    [
      'of another topic, however well signed',
      () => sign({ ...NOTIFICATION, TopicArn: `${TOPIC}-of-mine` }, ours.key),
    ],
    ['of an unknown type', () => sign({ ...NOTIFICATION, Type: 'Other' }, ours.key)],
    ['of an unknown signature version', () => ({ ...sign(NOTIFICATION, ours.key), SignatureVersion: '3' })],
  ])('are refused when they are %s, and nothing is kept', async (_how, message) => {
    expect(await post(message())).toBe(401)
    expect(server.log.appends).toEqual([])
  })

  it.each([
    'http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem',
    'https://sns.eu-central-1.amazonaws.com.example.org/SimpleNotificationService-0.pem',
    'https://example.org/SimpleNotificationService-0.pem',
    'https://sns.eu-central-1.amazonaws.com@example.org/SimpleNotificationService-0.pem',
    'https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0.pem',
    'https://mybucket.s3.amazonaws.com/SimpleNotificationService-0.pem',
    'https://sns.eu-central-1.amazonaws.com/other/path.pem',
    'file:///etc/passwd',
    'nonsense',
  ])('are refused without asking when their certificate is at %s', async (SigningCertURL) => {
    expect(await post(sign({ ...NOTIFICATION, SigningCertURL }, ours.key))).toBe(401)
    expect(asked).toEqual([])
  })

  it.each([
    'https://example.org/?Action=ConfirmSubscription',
    'http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription',
    'https://sns.eu-central-1.amazonaws.com/else?Action=ConfirmSubscription',
  ])('have no subscription confirmed at %s', async (SubscribeURL) => {
    await post(sign({ ...SUBSCRIPTION, SubscribeURL }, ours.key))
    expect(asked).toEqual([CERTIFICATE_PATH])
  })
})
