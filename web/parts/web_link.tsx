/** Addresses come from alerts and tickets: only http and https become links. */
export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:'
}

/** A text that is a link when it is an address of the web. */
export function MaybeLink({ text }: { readonly text: string }) {
  if (!isWebAddress(text)) return text
  return (
    <a href={text} target="_blank" rel="noreferrer noopener">
      {text}
    </a>
  )
}
