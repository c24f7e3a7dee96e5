import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteEngine } from '../../runtime/sqlite.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import { SqliteStore } from '../../runtime/store/sqlite.ts'
import { storeContract } from '../contracts/store.ts'

storeContract('memory', async () => {
  const store = new MemoryStore()
  return { store, cleanup: () => store.close() }
}, ['reopen'])

storeContract('sqlite', async () => {
  const data_dir = await mkdtemp(join(tmpdir(), 'tocsin-store-'))
  const open = async () => {
    const engine = new SqliteEngine({ data_dir })
    return { engine, store: await SqliteStore.open(engine) }
  }
  let opened = await open()
  const close = async () => {
    await opened.store.close()
    await opened.engine.close()
  }
  return {
    store: opened.store,
    async reopen() {
      await close()
      opened = await open()
      return opened.store
    },
    async cleanup() {
      await close()
      await rm(data_dir, { recursive: true })
    },
  }
})
