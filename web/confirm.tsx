import { useEffect, useRef } from 'preact/hooks'

type Props = { title: string; text: string; action: string; danger: boolean; yes: () => void; no: () => void }

/**
 * A question before something that cannot be undone. The browser's own modal keeps the focus inside and gives
 * it back; Escape says no.
 */
export function Confirm({ title, text, action, danger, yes, no }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={no}>
      <h3 id="question">{title}</h3>
      <p>{text}</p>
      <div class="actions">
        <button type="button" autofocus onClick={no}>
          Leave it
        </button>
        <button type="button" class={danger ? 'danger' : 'primary'} onClick={yes}>
          {action}
        </button>
      </div>
    </dialog>
  )
}
