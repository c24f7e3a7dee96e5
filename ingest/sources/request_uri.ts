/** What the format `uri` of go-openapi admits: an absolute address or a path, as Go's url.ParseRequestURI reads it (RFC 3986). */

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:/
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/
const USERINFO = /^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/
/** Signs that no host may hold; what lies beyond ASCII is let through. */
const BAD_HOST = /[ \\^`{|}/?#@]/

function isHost(host: string): boolean {
  const bracketed = /^\[([^\]]*)\](.*)$/.exec(host)
  // Brackets hold an address (RFC 3986, 3.2.2); none may open further on.
  if (host.lastIndexOf('[') > 0 || (host.startsWith('[') && bracketed === null)) return false
  const name = bracketed?.[1] ?? host.replace(/:[^:]*$/, '')
  const rest = bracketed === null ? host.slice(name.length) : (bracketed[2] ?? '')
  if (!/^(?::\d*)?$/.test(rest)) return false
  // Only what lies beyond ASCII is percent-encoded in a name; a zone may hold anything.
  const zone = bracketed === null ? -1 : name.indexOf('%25')
  const plain = zone < 0 ? name : name.slice(0, zone)
  return !BAD_HOST.test(plain) && !BAD_ESCAPE.test(name) && !/%[0-7]/.test(plain)
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf('@')
  if (at < 0) return isHost(authority)
  const userinfo = authority.slice(0, at)
  return USERINFO.test(userinfo) && !BAD_ESCAPE.test(userinfo) && isHost(authority.slice(at + 1))
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

/** Plain addresses of the web, which most are. */
const USUAL = /^https?:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:\/[\w.~!$&'()*+,;=:@/-]*)?(?:\?[!-~]*)?$/

/** Is `text` (without its fragment) an absolute address or a path? */
export function isRequestUri(text: string): boolean {
  return USUAL.test(text) || isUnusualUri(text)
}

function isUnusualUri(text: string): boolean {
  const whole = text.split('#', 1)[0] ?? ''
  if (whole === '' || hasControl(whole)) return false
  if (whole === '*') return true
  const scheme = SCHEME.exec(whole)?.[0] ?? ''
  const [rest = ''] = whole.slice(scheme.length).split('?', 1)
  if (!rest.startsWith('/')) return scheme !== ''
  if (scheme === '' || !rest.startsWith('//')) return !BAD_ESCAPE.test(rest)
  const slash = rest.indexOf('/', 2)
  const authority = rest.slice(2, slash < 0 ? undefined : slash)
  return isAuthority(authority) && (slash < 0 || !BAD_ESCAPE.test(rest.slice(slash)))
}
