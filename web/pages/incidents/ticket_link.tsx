import type { Ticket } from '../../../schemas/command.ts'
import { isWebAddress } from '../../parts/web_link.tsx'

/** A ticket by its number; a link when its address is one of the web. */
export function TicketLink({ ticket: { sink, external_id, url } }: { readonly ticket: Ticket }) {
  if (!isWebAddress(url))
    return (
      <span className="one-line" title={sink}>
        {external_id}
      </span>
    )
  return (
    <a href={url} target="_blank" rel="noreferrer noopener" title={sink} tabIndex={-1} className="one-line">
      {external_id}
    </a>
  )
}
