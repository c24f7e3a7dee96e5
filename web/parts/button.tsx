import { type ReactNode, type Ref, useId } from 'react'

interface ButtonProps {
  readonly children: ReactNode
  readonly onPress: () => void
  readonly kind?: 'plain' | 'primary' | 'quiet'
  /** Why it cannot be pressed now: it stays reachable, and says so. */
  readonly refusal?: string | null
  readonly label?: string
  readonly shortcut?: string
  readonly pressed?: boolean
  readonly expanded?: boolean
  readonly ref?: Ref<HTMLButtonElement>
}

export function Button({
  children,
  onPress,
  kind = 'plain',
  refusal = null,
  label,
  shortcut,
  pressed,
  expanded,
  ref,
}: ButtonProps) {
  const reason_id = useId()
  return (
    <>
      <button
        ref={ref}
        type="button"
        className={`button ${kind}`}
        aria-disabled={refusal === null ? undefined : true}
        aria-describedby={refusal === null ? undefined : reason_id}
        aria-label={label}
        aria-keyshortcuts={shortcut}
        aria-pressed={pressed}
        aria-expanded={expanded}
        title={refusal ?? label}
        onClick={() => {
          if (refusal === null) onPress()
        }}
      >
        {children}
      </button>
      {refusal !== null && (
        <span id={reason_id} hidden>
          {refusal}
        </span>
      )}
    </>
  )
}
