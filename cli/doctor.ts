import { environment, loadConfig } from '../runtime/config.ts'
import { examine } from '../runtime/doctor.ts'
import type { Finding } from '../runtime/finding.ts'

const MARKS = { ok: ' ok ', warn: 'WARN', fail: 'FAIL' } as const

/** Asks everything that the configuration names whether it works; status 1 when something does not. */
export async function doctor(options: { config?: string }): Promise<void> {
  const loaded = loadConfig(options.config, environment())
  console.log(`${MARKS.ok}  configuration   ${options.config ?? 'built in'}, rules ${loaded.rules.version}`)
  const findings = await examine(loaded, environment()['TOCSIN_TOKEN'])
  for (const finding of findings) console.log(lineOf(finding))
  const failed = findings.filter(({ level }) => level === 'fail').length
  console.log(
    failed === 0
      ? '\nEverything that is needed answers. 一切正常。'
      : `\n${failed} of ${findings.length} do not work: see FAIL above. 有 ${failed} 项异常，见上面的 FAIL。`,
  )
  process.exitCode = failed === 0 ? 0 : 1
}

function lineOf({ level, part, detail, remedy }: Finding): string {
  const first = `${MARKS[level]}  ${part.padEnd(15)} ${detail}`
  return remedy === '' ? first : `${first}\n      ${''.padEnd(15)} → ${remedy}`
}
