import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parseConfig } from '../../runtime/config.ts'
import { SAMPLE_FORMATS, SOURCE_FORMATS } from '../../schemas/source_formats.ts'

const FOLDER = fileURLToPath(new URL('../../docs/sources/', import.meta.url))
/** Brokers for the sources that name none. */
const KAFKA = 'kafka: {brokers: ["kafka:9092"]}\n'

const blocks = readdirSync(FOLDER).flatMap((page) =>
  [...readFileSync(FOLDER + page, 'utf8').matchAll(/^```yaml\n(sources:\n[^]*?)^```$/gm)].map(
    ([, text = '']) => [page, text] as const,
  ),
)

it.each(blocks)('%s shows a source that the configuration takes', (_page, text) => {
  expect(parseConfig(KAFKA + text, {}).problems).toEqual([])
})

it('has a page for every format but the first, which needs none', () => {
  const pages = readFileSync(`${FOLDER}README.md`, 'utf8')
  const missing = [...SOURCE_FORMATS, ...SAMPLE_FORMATS].filter((format) => !pages.includes(`\`${format}\``))
  expect(missing).toEqual([])
  expect(blocks.length).toBeGreaterThan(10)
})
