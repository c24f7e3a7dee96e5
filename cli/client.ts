import { Misconfigured } from '../runtime/errors.ts'
import type { ImportedIncident } from '../schemas/imported.ts'
import type { Incident } from '../schemas/incident.ts'

/** What POST /api/v2/alerts takes. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly generatorURL: string
  readonly startsAt: string
  readonly endsAt: string
}

const REQUEST_TIMEOUT_MS = 15_000
/** Of what reads much of the log. */
const LONG_TIMEOUT_MS = 120_000
const PAGE = 200
const SHOWN_CHARS_MAX = 300

/** A running Tocsin over HTTP. Every method throws Misconfigured when it cannot be reached or refuses. */
export class TocsinClient {
  readonly url: string
  private readonly token: string | undefined

  /** `token` is needed where the running Tocsin has api.tokens. */
  constructor(url: string, token: string | undefined) {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      throw new Misconfigured(
        'url-unusable',
        `--url ${url}: expected an address such as http://127.0.0.1:7600`,
      )
    }
    this.url = url.replace(/\/+$/, '')
    this.token = token === '' ? undefined : token
  }

  /** Throws Misconfigured unless it says that everything works. */
  async checkReady(): Promise<void> {
    const { ok, status } = await this.request('GET', '/-/ready')
    if (ok) return
    throw new Misconfigured(
      'not-ready',
      `${this.url} is not ready (/-/ready answers ${status}): try again when \`tocsin start\` has said that it is ready`,
    )
  }

  async send(alerts: readonly PostableAlert[]): Promise<void> {
    await this.accepted('POST', '/api/v2/alerts', alerts)
  }

  /** Incidents of another system, for the history only. */
  async importIncidents(incidents: readonly ImportedIncident[]): Promise<void> {
    await this.accepted('POST', '/api/v1/analytics/import', { incidents })
  }

  /** Every incident in the live view, most urgent first. */
  async incidents(): Promise<Incident[]> {
    const found: Incident[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = `limit=${PAGE}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const response = await this.accepted('GET', `/api/v1/incidents?${query}`)
      const page = (await response.json()) as { incidents: Incident[]; next_cursor: string | null }
      found.push(...page.incidents)
      cursor = page.next_cursor
    }
    return found
  }

  /** False when the incident can no longer be acknowledged: somebody did, or it is closed. */
  async acknowledge(incident_id: string): Promise<boolean> {
    const path = `/api/v1/incidents/${encodeURIComponent(incident_id)}/commands`
    const response = await this.request('POST', path, { kind: 'acknowledge' })
    if (response.status === 409) return false
    await this.check('POST', path, response)
    return true
  }

  /** The answer as JSON, of whatever shape that path answers with. */
  async get<Answer>(path: string): Promise<Answer> {
    return (await (await this.accepted('GET', path, undefined, LONG_TIMEOUT_MS)).json()) as Answer
  }

  async post<Answer>(path: string, body: unknown): Promise<Answer> {
    return (await (await this.accepted('POST', path, body, LONG_TIMEOUT_MS)).json()) as Answer
  }

  private async accepted(
    method: string,
    path: string,
    body?: unknown,
    timeout_ms = REQUEST_TIMEOUT_MS,
  ): Promise<Response> {
    const response = await this.request(method, path, body, timeout_ms)
    await this.check(method, path, response)
    return response
  }

  private async check(method: string, path: string, response: Response): Promise<void> {
    if (response.ok) return
    if (response.status === 401 || response.status === 403) {
      throw new Misconfigured(
        'token-refused',
        `${this.url} refuses ${method} ${path}: set TOCSIN_TOKEN to a token of the role admin (\`tocsin token --role admin\` makes one)`,
      )
    }
    const text = (await response.text()).slice(0, SHOWN_CHARS_MAX)
    throw new Misconfigured(
      'refused',
      `${this.url} answered ${method} ${path} with ${response.status}: ${text}`,
    )
  }

  private async request(
    method: string,
    path: string,
    body?: unknown,
    timeout_ms = REQUEST_TIMEOUT_MS,
  ): Promise<Response> {
    try {
      return await fetch(this.url + path, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(timeout_ms),
      })
    } catch (error) {
      const { cause, name } = error as Error & { cause?: { code?: string } }
      throw new Misconfigured(
        'unreachable',
        `no Tocsin answers at ${this.url} (${cause?.code ?? name}): run \`tocsin start\` first, or name its address with --url`,
      )
    }
  }
}
