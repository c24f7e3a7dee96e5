import { type RefObject, useEffect, useRef, useState } from 'react'

/** Rows drawn beyond the edges, so that fast scrolling does not show a gap. */
const BEYOND = 8

interface Range {
  readonly first: number
  /** Not in it. */
  readonly end: number
}

/**
 * Which of many rows of one height are to be drawn. The list may scroll within an element or with the page; either way it
 * lies in `list`, as high as all rows together.
 */
export function useWindow(list: RefObject<HTMLElement | null>, count: number, row_px: number): Range {
  const [range, setRange] = useState<Range>({ first: 0, end: Math.min(count, 50) })
  const due = useRef(false)
  useEffect(() => {
    const measure = () => {
      due.current = false
      const element = list.current
      if (!element) return
      const box = element.getBoundingClientRect()
      const clip = element.parentElement?.getBoundingClientRect() ?? box
      const top = Math.max(0, clip.top) - box.top
      const bottom = Math.min(window.innerHeight, clip.bottom) - box.top
      const first = Math.max(0, Math.floor(top / row_px) - BEYOND)
      const end = Math.min(count, Math.ceil(bottom / row_px) + BEYOND)
      setRange((before) =>
        before.first === first && before.end === end ? before : { first, end: Math.max(first, end) },
      )
    }
    const soon = () => {
      if (due.current) return
      due.current = true
      requestAnimationFrame(measure)
    }
    measure()
    // Scrolling does not bubble, but it is captured.
    window.addEventListener('scroll', soon, { capture: true, passive: true })
    const resized = new ResizeObserver(soon)
    if (list.current?.parentElement) resized.observe(list.current.parentElement)
    window.addEventListener('resize', soon)
    return () => {
      window.removeEventListener('scroll', soon, { capture: true })
      window.removeEventListener('resize', soon)
      resized.disconnect()
    }
  }, [list, count, row_px])
  return { first: Math.min(range.first, count), end: Math.min(range.end, count) }
}
