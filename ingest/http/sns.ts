import { X509Certificate, createVerify } from 'node:crypto'
import { Retryable } from '../../runtime/errors.ts'
import type { Proof } from './verify.ts'

/**
 * Messages of Amazon SNS prove themselves by a signature whose certificate SNS publishes. Anybody can make a topic that is signed as
 * well, so the topics are named in the configuration. A subscription to one of these is confirmed; nothing outside of SNS is asked.
 */

export interface SnsParts {
  /** Reads an address; no redirects. Rejects when it cannot be read. */
  readonly get: (url: string) => Promise<Buffer>
  readonly now: () => number
  readonly topics: readonly string[]
}

type Message = Readonly<Record<string, unknown>>

/** What is signed, in this order, by the type of the message. */
const NOTIFICATION = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
const SUBSCRIPTION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
const SIGNED: Readonly<Record<string, readonly string[]>> = {
  __proto__: null as never,
  Notification: NOTIFICATION,
  SubscriptionConfirmation: SUBSCRIPTION,
  UnsubscribeConfirmation: SUBSCRIPTION,
}
const ALGORITHMS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  1: 'RSA-SHA1',
  2: 'RSA-SHA256',
}
const HOST = /^sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?$/
const CERTIFICATES_KEPT = 16

/** An address of SNS itself over https, or null. */
function addressOfSns(value: unknown, path: RegExp): URL | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null
  const url = new URL(value)
  const plain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === ''
  return plain && HOST.test(url.hostname) && path.test(url.pathname) ? url : null
}

function messageOf(body: Buffer): Message | null {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : null
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}

/** Empty when it is no text, which no message of SNS lacks. */
function textIn(message: Message, name: string): string {
  const value = message[name]
  return typeof value === 'string' ? value : ''
}

function signedText(message: Message, fields: readonly string[]): string {
  return fields
    .filter((name) => typeof message[name] === 'string')
    .map((name) => `${name}\n${textIn(message, name)}\n`)
    .join('')
}

export class SnsProof implements Proof {
  private readonly parts: SnsParts
  /** By address; those of SNS never change. */
  private readonly certificates = new Map<string, X509Certificate>()

  constructor(parts: SnsParts) {
    this.parts = parts
  }

  /** Throws Retryable when the certificate cannot be read now. */
  async isGiven({ body }: { readonly body: Buffer }): Promise<boolean> {
    const message = messageOf(body)
    if (message === null || !this.parts.topics.includes(textIn(message, 'TopicArn'))) return false
    const fields = SIGNED[textIn(message, 'Type')]
    const algorithm = ALGORITHMS[textIn(message, 'SignatureVersion')]
    const url = addressOfSns(message['SigningCertURL'], /^\/SimpleNotificationService-[\w-]+\.pem$/)
    const { Signature: signature } = message
    if (fields === undefined || algorithm === undefined || url === null || typeof signature !== 'string')
      return false
    const certificate = await this.certificate(url)
    if (certificate === null) return false
    return createVerify(algorithm)
      .update(signedText(message, fields))
      .verify(certificate.publicKey, signature, 'base64')
  }

  /** Confirms a subscription. Throws Retryable when SNS does not answer, and then SNS asks again. */
  async prepare(body: Buffer): Promise<void> {
    const message = messageOf(body)
    if (message?.['Type'] !== 'SubscriptionConfirmation') return
    const url = addressOfSns(message['SubscribeURL'], /^\/$/)
    if (url !== null) await this.read(url)
  }

  /** Null when it is none, or not valid today. */
  private async certificate(url: URL): Promise<X509Certificate | null> {
    const certificate = this.certificates.get(url.href) ?? parseCertificate(await this.read(url))
    if (certificate === null) return null
    const now_ms = this.parts.now()
    if (now_ms < certificate.validFromDate.getTime() || now_ms > certificate.validToDate.getTime())
      return null
    if (this.certificates.size >= CERTIFICATES_KEPT) this.certificates.clear()
    this.certificates.set(url.href, certificate)
    return certificate
  }

  private async read(url: URL): Promise<Buffer> {
    try {
      return await this.parts.get(url.href)
    } catch (error) {
      throw new Retryable('sns-unreachable', `${url.host} cannot be reached`, { cause: error })
    }
  }
}

function parseCertificate(pem: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

const READ_TIMEOUT_MS = 5_000
const READ_BYTES_MAX = 65_536

/** Reads what SNS publishes. Rejects above the bounds, and when it is redirected. */
export async function readFromSns(url: string): Promise<Buffer> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(READ_TIMEOUT_MS) })
  if (!response.ok) throw new Error(`status ${response.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > READ_BYTES_MAX) throw new Error(`more than ${READ_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
