/** What documents promise and what no file may carry. */
import { posix } from 'node:path'

const LINK = /\]\(\s*<?([^)\s>]+)>?[^)]*\)/g
const CODE_PATH = /`([\w.@-]+(?:\/[\w.@-]+)+\/?)`/g

/**
 * Paths that a Markdown document names: targets of relative links (relative to the document), and code spans
 * that begin with a folder of the repository (relative to the root). Files that a run makes are not among them.
 */
export function namedPaths(document: string, text: string, folders: Set<string>): string[] {
  const links = [...text.matchAll(LINK)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^(?:[a-z][a-z+.-]*:|#)/i.test(link))
    .map((link) => posix.join(posix.dirname(document), link.replace(/#.*$/, '')))
  const spans = [...text.matchAll(CODE_PATH)]
    .map((match) => match[1] ?? '')
    .filter((path) => folders.has(path.slice(0, path.indexOf('/'))))
  return [...links, ...spans].map((path) => path.replace(/\/$/, ''))
}

const FOREIGN = [
  { what: 'a path of one machine', pattern: /(?<![\w.~/-])\/(?:work|root|home\/\w+|Users\/\w+)\/[\w.]/ },
  {
    what: 'the address of a package registry',
    pattern: /\b(?:registry\.(?:npmjs|npmmirror|yarnpkg)|pypi|repo1?\.maven(?:\.apache)?)\.(?:org|com)\b/,
  },
]

/** Lines that tie the repository to the place where it was written. */
export function foreignMentions(file: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      FOREIGN.filter(({ pattern }) => pattern.test(line)).map(({ what }) => `${file}:${i + 1} names ${what}`),
    )
}
