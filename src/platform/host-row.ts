/** One thing this host can enforce, or cannot, and the command that would change it. */
export type HostRow = {
  readonly name: string
  readonly status: 'yes' | 'no' | 'weakened'
  readonly why: string
  readonly hint: string | null
}
