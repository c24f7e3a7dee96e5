const ROWS = 8

/** Rows of the height of real ones, shown only when reading takes a while. */
export function Skeleton() {
  return (
    <div className="skeleton-rows" aria-hidden="true">
      {Array.from({ length: ROWS }, (_, i) => (
        <div key={i} className="skeleton" />
      ))}
    </div>
  )
}
