/** The cookie by which a browser stays logged in: the token itself, out of reach of scripts and of other sites. */

const NAME = 'tocsin_session'
const MAX_AGE_S = 30 * 86_400
const ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Strict'

/** `secure`: the browser came over https, and the cookie must not leave it otherwise. */
export function sessionCookie(secret: string, secure: boolean): string {
  const value = Buffer.from(secret).toString('base64url')
  return `${NAME}=${value}; ${ATTRIBUTES}; Max-Age=${MAX_AGE_S}${secure ? '; Secure' : ''}`
}

export const ENDED_SESSION_COOKIE = `${NAME}=; ${ATTRIBUTES}; Max-Age=0`

export function secretInCookie(header: string | undefined): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [name, value] = part.trim().split('=', 2)
    if (name === NAME && value) return Buffer.from(value, 'base64url').toString()
  }
  return undefined
}
