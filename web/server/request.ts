/** Speaking with Tocsin's API over HTTP. */

/** What the server answered when it refused: its code and words (api/errors.ts), and the HTTP status; 0: nothing answered. */
export class ServerError extends Error {
  override name = 'ServerError'
  readonly code: string
  readonly status: number
  readonly remedy: string | null
  constructor(status: number, code: string, message: string, remedy: string | null = null) {
    super(message)
    this.status = status
    this.code = code
    this.remedy = remedy
  }
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; readonly remedy?: string }
}

interface Options {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  /** Instead of `body`: what another program would send. */
  readonly text?: string
  /** Repeating a command under the same key carries it out once. */
  readonly key?: string
  readonly signal?: AbortSignal
}

let actor: string | null = null

/** In whose name commands are sent where the installation has no tokens. */
export function setActor(name: string | null): void {
  actor = name
}

/** Header values are bytes: UTF-8, each byte as one character. */
function headerText(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text))
}

async function refusalOf(response: Response): Promise<ServerError> {
  let told: ErrorBody['error']
  try {
    told = ((await response.json()) as ErrorBody).error
  } catch (error) {
    // A proxy in between answers with a page of its own.
    if (!(error instanceof SyntaxError)) throw error
  }
  const { status } = response
  return new ServerError(
    status,
    told?.code ?? `http-${status}`,
    told?.message ?? `HTTP ${status}`,
    told?.remedy,
  )
}

/** The answer as JSON (undefined when it is empty). Throws ServerError. */
export async function request<Answer>(path: string, options: Options = {}): Promise<Answer> {
  const { method = 'GET', body, text, key, signal } = options
  const headers = new Headers()
  if (body !== undefined || text !== undefined) headers.set('content-type', 'application/json')
  if (key !== undefined) headers.set('idempotency-key', key)
  if (actor !== null) headers.set('x-tocsin-actor', headerText(actor))
  const init: RequestInit = { method, headers }
  if (text !== undefined) init.body = text
  else if (body !== undefined) init.body = JSON.stringify(body)
  if (signal !== undefined) init.signal = signal
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ServerError(0, 'no-answer', 'Tocsin does not answer')
  }
  if (!response.ok) throw await refusalOf(response)
  return (response.status === 204 ? undefined : await response.json()) as Answer
}

/** A new idempotency key. `crypto.randomUUID` is not there over plain http. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
