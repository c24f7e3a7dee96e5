import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, TOKENS, type World } from './world.ts'

/** Of the console as `npm ci` builds it; what it does in a browser is tested in test/web. */
describe('the files of the console', () => {
  let world: World
  let html: string
  beforeAll(async () => {
    world = await startWorld({ tokens: TOKENS })
    html = await (await fetch(world.url)).text()
  })
  afterAll(() => world.close())

  const assets = () => [...html.matchAll(/ (?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')

  it.each(['/', '/incidents', '/incidents/inc_1', '/analytics', '/alarms', '/sources', '/rules?lang=zh'])(
    '%s is the console, and no browser keeps it',
    async (path) => {
      const response = await fetch(world.url + path)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(await response.text()).toBe(html)
    },
  )

  it('are its own, named by their content, and kept for ever', async () => {
    expect(assets().length).toBeGreaterThan(2)
    for (const asset of assets()) {
      expect(asset).toMatch(/^\/assets\/[\w.]+-[\w-]{8}\.(?:js|css|svg)$/)
      const response = await fetch(world.url + asset)
      expect(response.status, asset).toBe(200)
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(response.headers.get('content-encoding')).toBe('gzip')
    }
  })

  it('are also to be had by whoever knows no gzip', async () => {
    const [asset = ''] = assets()
    const plain = await fetch(world.url + asset, { headers: { 'accept-encoding': 'identity' } })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(await plain.text()).toBe(await (await fetch(world.url + asset)).text())
  })

  it('run nothing inline, under a policy that would not let them', async () => {
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/)
    const policy = (await fetch(world.url)).headers.get('content-security-policy')
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toContain('unsafe')
  })

  it.each(['/assets/none.js', '/assets/..%2findex.html', '/nowhere'])(
    '%s is not among them',
    async (path) => {
      const response = await fetch(world.url + path)
      expect([401, 404]).toContain(response.status)
      expect(response.headers.get('content-type')).toContain('json')
    },
  )
})
