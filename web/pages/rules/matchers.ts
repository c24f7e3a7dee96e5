import type { Matcher } from '../../../schemas/matcher.ts'

/** Matchers as people write and read them; the server reads and checks what is written. */

export function matcherLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

export function matcherText({ name, op, value }: Matcher): string {
  return `${name}${op}${JSON.stringify(value)}`
}
