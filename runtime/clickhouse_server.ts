/**
 * Child process that serves an embedded ClickHouse over HTTP. Started by runtime/clickhouse.ts with an IPC channel;
 * waits for one message with the library and its arguments, then runs the engine until it is killed.
 *
 * The engine ends only with its process: the C function returns when it could not start (the reason is on stderr),
 * and unloading the library afterwards crashes, so every exit here is a SIGKILL to itself.
 */
import { DataType, load, open } from 'ffi-rs'

export interface ServerOrder {
  readonly library_path: string
  readonly arguments: readonly string[]
  readonly parent_pid: number
}

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** The kernel kills this process when its parent dies, however it dies; the IPC channel tells the same where there is no prctl. */
function dieWithParent(parent_pid: number): void {
  process.on('disconnect', end)
  if (process.platform === 'linux') {
    open({ library: 'libc', path: 'libc.so.6' })
    load({
      library: 'libc',
      funcName: 'prctl',
      retType: DataType.I32,
      paramsType: [DataType.I32, DataType.U64, DataType.U64, DataType.U64, DataType.U64],
      paramsValue: [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0],
    })
  }
  // A parent that died before this line raises no signal any more.
  if (process.ppid !== parent_pid) end()
}

/** Runs `clickhouse local` from libchdb in a thread of its own, so that this thread still sees the parent go. */
async function serve(order: ServerOrder): Promise<void> {
  dieWithParent(order.parent_pid)
  open({ library: 'chdb', path: order.library_path })
  const argv = ['clickhouse', ...order.arguments]
  await load({
    library: 'chdb',
    funcName: 'chdb_query_cmdline',
    retType: DataType.External,
    paramsType: [DataType.I32, DataType.StringArray],
    paramsValue: [argv.length, argv],
    runInNewThread: true,
  })
  end()
}

process.once('message', (order: ServerOrder) => void serve(order))
