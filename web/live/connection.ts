import { Feed } from './feed.ts'
import type { FeedMessage, PageMessage } from './messages.ts'

export interface Connection {
  connectNow(): void
  close(): void
}

/** Follows all changes: by the worker that all pages share, or by a connection of this page where there is none. */
export function connect(take: (message: FeedMessage) => void): Connection {
  return typeof SharedWorker === 'function' ? shared(take) : alone(take)
}

function shared(take: (message: FeedMessage) => void): Connection {
  const worker = new SharedWorker(new URL('./feed_worker.ts', import.meta.url), {
    type: 'module',
    name: 'tocsin-feed',
  })
  let fallback: Connection | null = null
  const say = (kind: PageMessage['kind']) => worker.port.postMessage({ kind } satisfies PageMessage)
  worker.addEventListener('error', () => {
    fallback ??= alone(take)
  })
  worker.port.addEventListener('message', (event: MessageEvent<FeedMessage>) => take(event.data))
  worker.port.start()
  say('hello')
  const bye = () => say('bye')
  // A page that is kept for the back button comes back with an open port.
  const back = (event: PageTransitionEvent) => {
    if (event.persisted) say('hello')
  }
  window.addEventListener('pagehide', bye)
  window.addEventListener('pageshow', back)
  return {
    connectNow: () => (fallback ? fallback.connectNow() : say('connect-now')),
    close() {
      window.removeEventListener('pagehide', bye)
      window.removeEventListener('pageshow', back)
      fallback?.close()
      bye()
      worker.port.close()
    },
  }
}

function alone(take: (message: FeedMessage) => void): Connection {
  const feed = new Feed(take)
  feed.start()
  return { connectNow: () => feed.connectNow(), close: () => feed.stop() }
}
