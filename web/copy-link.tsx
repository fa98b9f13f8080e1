import { useState } from 'preact/hooks'
import { everything } from './choice.ts'
import { hashOf } from './address.ts'

/** To this task, without the token: whoever opens it needs one. */
export function CopyLink({ task }: { task: string }) {
  const [copied, setCopied] = useState(false)
  const hash = hashOf({ task, choice: everything })
  const copy = async (event: MouseEvent): Promise<void> => {
    // With a key held down it is opened as any link is.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    await navigator.clipboard.writeText(`${location.origin}${location.pathname}${hash}`)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <a class="button" href={hash} onClick={event => void copy(event).catch(() => {})}>
      <span role="status">{copied ? 'Copied' : 'Copy link'}</span>
    </a>
  )
}
