import { goQuote } from '../../schemas/go_quote.ts'
import { RefusedBody } from '../sources/alertmanager.ts'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Only application/json is taken; its parameters do not matter. Null, or the refusal in Alertmanager's words. */
export function contentTypeFault(header: string | undefined): RefusedBody | null {
  const given = header === undefined || header === '' ? 'application/octet-stream' : header
  const type = (given.split(';', 1)[0] ?? '').trim().toLowerCase()
  if (type === 'application/json') return null
  if (TOKEN.test(type))
    return new RefusedBody(
      'content-type',
      415,
      `unsupported media type ${goQuote(type)}, only [application/json] are allowed`,
    )
  return new RefusedBody(
    'content-type',
    400,
    `parsing Content-Type header from ${goQuote(given)} failed, because it is no media type`,
  )
}
