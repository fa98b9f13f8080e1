import { useEffect, useState } from 'preact/hooks'
import { type Address, addressIn, hashOf } from './address.ts'

/**
 * The page's address, and how to change it. To open a task from the list is a step that the browser's way
 * back undoes; to go from one to the next, or to choose, is none.
 */
export function useAddress(): [Address, (change: Partial<Address>) => void] {
  const [address, setAddress] = useState(() => addressIn(location.hash))
  useEffect(() => {
    const follow = (): void => setAddress(addressIn(location.hash))
    // Both: popstate by the browser's buttons, hashchange by hand.
    for (const event of ['popstate', 'hashchange']) addEventListener(event, follow)
    return () => {
      for (const event of ['popstate', 'hashchange']) removeEventListener(event, follow)
    }
  }, [])
  const change = (part: Partial<Address>): void => {
    const next = { ...address, ...part }
    const path = `${location.pathname}${hashOf(next)}`
    if (address.task === null && next.task !== null) history.pushState(null, '', path)
    else history.replaceState(null, '', path)
    setAddress(next)
  }
  return [address, change]
}
