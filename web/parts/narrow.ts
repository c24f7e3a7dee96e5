import { useEffect, useState } from 'react'

/** Below it lists are cards. */
const NARROW_BELOW_PX = 700

/** Whether the window is that of a phone. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(window.innerWidth < NARROW_BELOW_PX)
  useEffect(() => {
    const media = window.matchMedia(`(max-width: ${NARROW_BELOW_PX - 1}px)`)
    const changed = () => setNarrow(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [])
  return narrow
}
