import { Button, Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'

export interface MenuAction {
  readonly id: string
  readonly name: string
}

interface MenuProps {
  readonly label: string
  readonly items: readonly MenuAction[]
  readonly onPick: (id: string) => void
  /** Why none of them can be picked now. */
  readonly refusal?: string | null
}

/** Actions that are not worth a button each. */
export function Menu({ label, items, onPick, refusal = null }: MenuProps) {
  return (
    <MenuTrigger>
      <Button className="button" aria-label={label} isDisabled={refusal !== null}>
        {label} ▾
      </Button>
      <Popover className="popover">
        <AriaMenu className="menu" items={items} onAction={(key) => onPick(String(key))}>
          {({ id, name }) => (
            <MenuItem id={id} textValue={name} className="option">
              {name}
            </MenuItem>
          )}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  )
}
