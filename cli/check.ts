import { stringify } from 'yaml'
import { environment, loadConfig } from '../runtime/config.ts'

/** Prints the effective configuration; a wrong file ends with status 2 and every mistake on its line. */
export function check(options: { config?: string }): void {
  const { config, rules } = loadConfig(options.config, environment())
  console.log(stringify(config).trimEnd())
  console.error(
    `${options.config ?? 'the built-in configuration'} is right (rules version ${rules.version}).`,
  )
}
