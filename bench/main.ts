import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { complete, type Report, table } from './report.ts'

export interface BenchOptions {
  readonly seconds: number
  /** Address of another Alertmanager-compatible server to send the same load to. */
  readonly peer: string | undefined
}

const BENCHES: Readonly<Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<Report> }>>> =
  {
    embedded: () => import('./embedded.ts'),
    distributed: () => import('./distributed.ts'),
    latency: () => import('./latency.ts'),
    'latency-distributed': () => import('./latency_distributed.ts'),
    fold: () => import('./fold.ts'),
  }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, json: { type: 'string' }, peer: { type: 'string' } },
})
const bench = BENCHES[positionals[0] ?? '']
if (!bench) {
  console.error(
    `usage: npm run bench -- NAME [--seconds N] [--json FILE] [--peer URL]\nNAME is one of ${Object.keys(BENCHES).join(', ')}`,
  )
  process.exit(2)
}
const { run } = await bench()
const report = complete(await run({ seconds: Number(values.seconds), peer: values.peer }))
console.error(table(report))
const json = JSON.stringify(report, null, 2)
if (values.json === undefined) console.log(json)
else writeFileSync(values.json, `${json}\n`)
process.exit(0)
