/** Reads server-sent events over fetch, because EventSource cannot send a token. Stops when the signal aborts. */
export async function* readEvents(response, signal) {
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  signal.addEventListener('abort', () => void reader.cancel())
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    rest += decoder.decode(value, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop()
    for (const block of blocks) yield parseEvent(block)
  }
}

function parseEvent(block) {
  const event = { event: 'message', id: null, data: '' }
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') event.data += value
    else if (field === 'event' || field === 'id') event[field] = value
  }
  return event
}
