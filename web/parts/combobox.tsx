import { useState } from 'react'
import {
  Button,
  ComboBox as AriaComboBox,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
} from 'react-aria-components'

export interface ComboBoxItem {
  readonly id: string
  readonly name: string
  /** Stands behind the name; may be empty. */
  readonly hint: string
}

interface ComboBoxProps {
  readonly label: string
  readonly hide_label?: boolean
  readonly items: readonly ComboBoxItem[]
  readonly value: string
  readonly onPick: (id: string) => void
  /** Anything that is typed may be picked, not only an item. */
  readonly free?: boolean
  readonly className?: string
}

const SHOWN_MAX = 50

function matching(items: readonly ComboBoxItem[], text: string): readonly ComboBoxItem[] {
  const wanted = text.toLowerCase().replaceAll(' ', '_')
  const loose = text.toLowerCase()
  return items
    .filter(({ name }) => name.toLowerCase().includes(wanted) || name.toLowerCase().includes(loose))
    .slice(0, SHOWN_MAX)
}

/** A field with a list that shrinks while one types. */
export function ComboBox({
  label,
  hide_label,
  items,
  value,
  onPick,
  free = false,
  className = '',
}: ComboBoxProps) {
  const [text, setText] = useState<string | null>(null)
  const shown = matching(items, text ?? '')
  return (
    <AriaComboBox
      className={`combobox ${className}`}
      {...(hide_label && { 'aria-label': label })}
      items={shown}
      inputValue={text ?? items.find(({ id }) => id === value)?.name ?? value}
      onInputChange={(next) => setText(next)}
      selectedKey={value}
      menuTrigger="focus"
      allowsCustomValue={free}
      allowsEmptyCollection={false}
      onOpenChange={(open) => setText(open ? '' : null)}
      onSelectionChange={(key) => {
        if (key !== null) onPick(String(key))
        else if (free && text !== null) onPick(text)
        setText(null)
      }}
    >
      {!hide_label && <Label>{label}</Label>}
      <div className="combobox-field">
        <Input />
        <Button>▾</Button>
      </div>
      <Popover className="popover">
        <ListBox className="listbox">
          {(item: ComboBoxItem) => (
            <ListBoxItem id={item.id} textValue={item.name} className="option">
              {item.name}
              {item.hint !== '' && <span className="hint">{item.hint}</span>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaComboBox>
  )
}
