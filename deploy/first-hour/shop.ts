/**
 * A shop with two queues, for docs/first-hour.md: `GET /metrics` shows their lengths in Prometheus' text format,
 * `POST /queues/orders?length=500` sets one. Usage: node deploy/first-hour/shop.ts [port]
 */
import { createServer } from 'node:http'

const port = Number(process.argv[2] ?? 9191)
const lengths = new Map([
  ['orders', 3],
  ['payments', 1],
])

function metrics(): string {
  const lines = [...lengths].map(([queue, length]) => `shop_queue_length{queue="${queue}"} ${length}\n`)
  return `# HELP shop_queue_length Orders that wait.\n# TYPE shop_queue_length gauge\n${lines.join('')}`
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://shop')
  const queue = /^\/queues\/(\w+)$/.exec(pathname)?.[1] ?? ''
  const length = Number(searchParams.get('length') ?? Number.NaN)
  if (request.method === 'GET' && pathname === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics())
  } else if (request.method === 'POST' && lengths.has(queue) && Number.isFinite(length)) {
    lengths.set(queue, length)
    response.end(`${queue}: ${length}\n`)
  } else {
    response.writeHead(404).end('GET /metrics, or POST /queues/orders?length=500\n')
  }
})
server.listen(port, '127.0.0.1', () => console.log(`the shop is open at http://127.0.0.1:${port}`))
