import { type Choice, everything, type Order, orders } from './choice.ts'

/**
 * What of the page stands in the fragment of its address, which no browser sends: the task that is looked at
 * and what was chosen of the list. So a reload, a bookmark and a link lead to the same.
 */
export type Address = { readonly task: string | null; readonly choice: Choice }

export function addressIn(hash: string): Address {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const order = fields.get('order') as Order
  return {
    task: fields.get('task') || null,
    choice: {
      search: fields.get('search') ?? '',
      state: fields.getAll('state'),
      end: fields.getAll('end'),
      label: fields.getAll('label'),
      order: orders.includes(order) ? order : everything.order,
    },
  }
}

/** With its `#`; empty where there is nothing to say. */
export function hashOf({ task, choice }: Address): string {
  const fields = new URLSearchParams()
  if (task !== null) fields.append('task', task)
  if (choice.search !== '') fields.append('search', choice.search)
  for (const group of ['state', 'end', 'label'] as const)
    for (const value of choice[group]) fields.append(group, value)
  if (choice.order !== everything.order) fields.append('order', choice.order)
  const text = fields.toString()
  return text === '' ? '' : `#${text}`
}
