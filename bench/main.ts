import { writeFileSync } from 'node:fs'
import { type BenchOptions, parseOptions, USAGE } from './options.ts'
import { complete, type Report, table } from './report.ts'

const BENCHES: Readonly<Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<Report> }>>> =
  {
    load: () => import('./generator.ts'),
    'ingest-http': () => import('./ingest_http.ts'),
    embedded: () => import('./embedded.ts'),
    'ingest-kafka': () => import('./ingest_kafka.ts'),
    distributed: () => import('./distributed.ts'),
    latency: () => import('./latency.ts'),
    'latency-distributed': () => import('./latency_distributed.ts'),
    restart: () => import('./restart.ts'),
    'restart-distributed': () => import('./restart_distributed.ts'),
    memory: () => import('./memory.ts'),
    soak: () => import('./soak.ts'),
    history: () => import('./history.ts'),
    samples: () => import('./samples.ts'),
    analytics: () => import('./analytics.ts'),
    fold: () => import('./fold.ts'),
    grouping: () => import('./grouping.ts'),
    'early-warning': () => import('./early_warning.ts'),
  }

function refuse(message: string): never {
  console.error(`${message}\nusage: ${USAGE}\nNAME is one of ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

function asked(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    if (error instanceof TypeError) refuse(error.message)
    throw error
  }
}

const { name, json, options } = asked()
const bench = BENCHES[name] ?? refuse(name === '' ? 'which benchmark?' : `there is no benchmark ${name}`)
const { run } = await bench()
const report = complete(await run(options))
console.error(table(report))
const text = JSON.stringify(report, null, 2)
if (json === undefined) console.log(text)
else writeFileSync(json, `${text}\n`)
process.exit(0)
