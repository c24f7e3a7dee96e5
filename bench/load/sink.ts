/** A server that takes every request, looks at nothing but its length, and answers 200. Prints its address. */
import { createServer, type AddressInfo, type Socket } from 'node:net'

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
const HEAD_END = '\r\n\r\n'

/** The body's bytes that are still to come. */
function serve(socket: Socket): void {
  let head = ''
  let left = 0
  socket.on('data', (data) => {
    let at = 0
    while (at < data.length) {
      if (left === 0) {
        const had = head.length
        head += data.toString('latin1', at, Math.min(data.length, at + 1_024))
        const end = head.indexOf(HEAD_END)
        if (end < 0) return
        at += end + HEAD_END.length - had
        left = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
        head = ''
      }
      const taken = Math.min(left, data.length - at)
      at += taken
      left -= taken
      if (left > 0) return
      socket.write(ANSWER)
    }
  })
  socket.on('error', () => socket.destroy())
}

const server = createServer({ noDelay: true }, serve)
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
process.on('SIGTERM', () => process.exit(0))
