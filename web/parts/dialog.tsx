import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { useTexts } from '../texts/catalogue.ts'
import { words } from '../texts/words.ts'
import { Button } from './button.tsx'

interface DialogProps {
  readonly title: string
  readonly children: ReactNode
  /** Left out: it cannot be closed without an answer. */
  readonly onClose?: () => void
  readonly wide?: boolean
}

/** A dialog over the page; it takes the focus and gives it back. There while it is rendered. */
export function Dialog({ title, children, onClose, wide = false }: DialogProps) {
  const t = useTexts(words)
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isDismissable={onClose !== undefined}
      isKeyboardDismissDisabled={onClose === undefined}
      onOpenChange={(open) => {
        if (!open) onClose?.()
      }}
    >
      <Modal className={wide ? 'modal wide' : 'modal'}>
        <AriaDialog className="dialog">
          <header className="dialog-head">
            <Heading slot="title">{title}</Heading>
            {onClose && (
              <Button kind="quiet" label={t.close} onPress={onClose}>
                ✕
              </Button>
            )}
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
