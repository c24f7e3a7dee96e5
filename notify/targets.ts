import { BlockList, isIP } from 'node:net'

/** Which addresses are part of the public Internet (IANA special-purpose registries, RFC 6890 and later). */

const NOT_PUBLIC = new BlockList()
const RANGES_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
/** Inside of 2000::/3, outside of which nothing is public: Teredo and other protocol assignments, documentation, 6to4. */
const RANGES_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]
for (const [net, prefix] of RANGES_V4) NOT_PUBLIC.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of RANGES_V6) NOT_PUBLIC.addSubnet(net, prefix, 'ipv6')

const GLOBAL_UNICAST = new BlockList()
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6')
const MAPPED = new BlockList()
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6')

/** The IPv4 address inside of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), or null. */
function unmapped(address: string): string | null {
  if (!MAPPED.check(address, 'ipv6')) return null
  const host = new URL(`http://[${address}]`).hostname
  const [high = '0', low = '0'] = host.slice(1, -1).split(':').slice(-2)
  const bits = Number.parseInt(high || '0', 16) * 65_536 + Number.parseInt(low || '0', 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
}

/** Whether an IP address is public; anything that is no IP address is not. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  const version = isIP(bare)
  if (version === 4) return !NOT_PUBLIC.check(bare, 'ipv4')
  if (version !== 6) return false
  const inner = unmapped(bare)
  if (inner !== null) return isPublicAddress(inner)
  return GLOBAL_UNICAST.check(bare, 'ipv6') && !NOT_PUBLIC.check(bare, 'ipv6')
}
