import type { MouseEvent, ReactNode } from 'react'
import { navigate } from './location.ts'

interface LinkProps {
  readonly to: string
  readonly children: ReactNode
  readonly className?: string
  readonly current?: boolean
  readonly label?: string
  readonly tabIndex?: number
}

/** A link within the console: followed without loading the page, and an ordinary link for every other kind of click. */
export function Link({ to, children, className, current = false, label, tabIndex }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a
      href={to}
      className={className}
      onClick={follow}
      aria-current={current ? 'page' : undefined}
      aria-label={label}
      tabIndex={tabIndex}
    >
      {children}
    </a>
  )
}
