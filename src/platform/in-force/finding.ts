import type { VerifiedRow } from '../../api.ts'

/** What was read back for one row, in words. */
export type Finding = Readonly<Pick<VerifiedRow, 'verdict' | 'inForce'>>

export const unverifiable: Finding = { verdict: 'unverifiable', inForce: null }

export function unread(why: string): Finding {
  return { verdict: 'unread', inForce: why }
}

export function judged(isSo: boolean, inForce: string): Finding {
  return { verdict: isSo ? 'holds' : 'differs', inForce }
}

const order: readonly VerifiedRow['verdict'][] = ['differs', 'unread', 'holds', 'unverifiable']

/** Of several that one row rests on: the worst decides, the others are told too. */
export function together(findings: readonly Finding[]): Finding {
  const worst = order.find(word => findings.some(({ verdict }) => verdict === word)) ?? 'unverifiable'
  const words = findings.filter(({ verdict }) => verdict === worst).flatMap(({ inForce }) => inForce ?? [])
  return { verdict: worst, inForce: words.length === 0 ? null : [...new Set(words)].join(', ') }
}
