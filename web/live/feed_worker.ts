import { Feed } from './feed.ts'
import type { FeedMessage, PageMessage } from './messages.ts'

/** The shared worker: one connection for all pages of one browser. */

const ports = new Set<MessagePort>()
const feed = new Feed((message) => {
  for (const port of ports) port.postMessage(message)
})

function received(port: MessagePort, { kind }: PageMessage): void {
  switch (kind) {
    case 'hello':
      ports.add(port)
      port.postMessage({ kind: 'connection', connection: feed.state } satisfies FeedMessage)
      feed.start()
      break
    case 'connect-now':
      feed.connectNow()
      break
    case 'bye':
      ports.delete(port)
      break
  }
}

globalThis.addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports
  if (!port) return
  port.addEventListener('message', (message: MessageEvent<PageMessage>) => received(port, message.data))
  port.start()
})
