import { type RefObject, useLayoutEffect, useState } from 'react'

/** How wide an element is now; 0 before it is there. What is drawn to measure keeps its letters readable at every width. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const { current } = element
    if (!current) return
    const observer = new ResizeObserver(() => setWidth(current.clientWidth))
    observer.observe(current)
    return () => observer.disconnect()
  }, [element])
  return width
}
