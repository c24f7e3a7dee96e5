import { readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { acceptedOf, type LearnedRules, learnedFile, NOTHING_LEARNED } from '../schemas/learned.ts'
import { Misconfigured } from './errors.ts'

/** What an operator accepted in a file that `tocsin learn` wrote; nothing without a file. Throws Misconfigured. */
export function readLearned(path: string | undefined): LearnedRules {
  if (path === undefined) return NOTHING_LEARNED
  const parsed = learnedFile.safeParse(valueOf(path))
  if (parsed.success) return acceptedOf(parsed.data)
  const [issue] = parsed.error.issues
  throw new Misconfigured(
    'learned-shape',
    `the learned rules ${path} are wrong at ${issue?.path.join('.')}: ${issue?.message}; expected what \`tocsin learn\` wrote`,
  )
}

function valueOf(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const what = error instanceof YAMLParseError ? error.message : (error as NodeJS.ErrnoException).code
    throw new Misconfigured('learned-unreadable', `the learned rules ${path} cannot be read (${what})`)
  }
}
