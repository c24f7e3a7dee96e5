import { stringify } from 'yaml'
import { environment, linesOf, loadConfig } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'
import { type Failure, failuresOf } from './check/rule_tests.ts'

/**
 * Prints the effective configuration. A wrong file ends with status 2 and every mistake on its line, and so do rules that fail a test
 * of the file.
 */
export function check(options: { config?: string }): void {
  const { config, rules, text } = loadConfig(options.config, environment())
  const file = options.config ?? 'the built-in configuration'
  const failures = failuresOf(config, rules)
  if (failures.length > 0) throw new Misconfigured('rule-tests-failed', told(file, text, failures))
  console.log(stringify(config).trimEnd())
  console.error(`${file} is right (rules version ${rules.version}).`)
  const { length } = config.rules.tests
  if (length > 0) console.error(`${length === 1 ? 'The test' : `All ${length} tests`} of the rules passed.`)
}

function told(file: string, text: string, failures: readonly Failure[]): string {
  const lines = linesOf(
    text,
    failures.map(({ path }) => path),
  )
  const blocks = failures.map(
    ({ test, path, lines: said }, i) =>
      `  ${file}:${lines[i]} ${path.join('.')} (${test}):\n${said.map((line) => `    ${line}`).join('\n')}`,
  )
  return `the rules fail their tests:\n${blocks.join('\n')}`
}
