/** A process that starts the embedded ClickHouse, says where it is, and lives until it is killed: see clickhouse.test.ts. */
import { startEmbeddedClickHouse } from '../../runtime/clickhouse.ts'

const data_dir = process.argv[2]
if (data_dir === undefined) throw new Error('usage: clickhouse_parent.ts DATA_DIR')
const { pid } = await startEmbeddedClickHouse({ data_dir, on_exit: () => {}, log: () => {} })
process.stdout.write(`${pid}\n`)
