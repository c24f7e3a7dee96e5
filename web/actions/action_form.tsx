import type { FormEvent, ReactNode } from 'react'
import { Button } from '../parts/button.tsx'
import { useTexts } from '../texts/catalogue.ts'
import { words } from '../texts/words.ts'

export interface FormProps {
  readonly ids: readonly string[]
  readonly onClose: () => void
}

interface FormShellProps {
  readonly children: ReactNode
  readonly submit: string
  readonly onSubmit: () => void
  readonly onClose: () => void
}

export function ActionForm({ children, submit, onSubmit, onClose }: FormShellProps) {
  const t = useTexts(words)
  const submitted = (event: FormEvent) => {
    event.preventDefault()
    onSubmit()
  }
  return (
    <form className="form" onSubmit={submitted}>
      {children}
      <footer>
        <Button onPress={onClose}>{t.cancel}</Button>
        <button type="submit" className="button primary">
          {submit}
        </button>
      </footer>
    </form>
  )
}
