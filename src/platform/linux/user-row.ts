import { enforced, loosened, type Row } from '../rows.ts'

export function userRow(user: string | number | undefined, uid: number): Row {
  const what = { name: 'user', kind: 'isolation', requested: String(user ?? 'nobody') } as const
  return uid === 0 ? loosened(what) : enforced(what)
}
