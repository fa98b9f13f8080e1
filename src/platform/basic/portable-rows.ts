import type { Enforcement } from '../../api.ts'
import type { LaunchSpec } from '../../spawn/spec.ts'
import { hasOomScore } from '../../spawn/portable/oom-score.ts'
import { scalarFields, scalars } from '../../spawn/scalars.ts'
import { type Row, skipped, weakened } from '../rows.ts'

const hint = 'run it on Linux with the native program, as `holdfast doctor` says'

/** What the portable shim (src/spawn/portable/honours.ts) does less of than was asked for. */
export function portableRows(
  spec: LaunchSpec,
  platform: string = process.platform,
  hasScore = platform === process.platform ? hasOomScore : platform === 'linux',
): Row[] {
  const { credentials, umask } = spec
  const isWindows = platform === 'win32'
  return [
    ...(credentials !== null && credentials.groups.length > 0
      ? [
          skipped(
            row('groups', credentials.groups.join(',')),
            'Node starts a process as another user without supplementary groups',
            hint,
          ),
        ]
      : []),
    ...(isWindows && umask !== defaultUmask
      ? [skipped(row('umask', umask.toString(8)), 'Windows has no file modes', null)]
      : []),
    ...scalarFields.flatMap(field => {
      const short = spec[field] === null ? null : scalars[field].portable({ platform, hasOomScore: hasScore })
      if (short === null) return []
      const tell = short.status === 'skipped' ? skipped : weakened
      return [tell(row(field, String(spec[field])), short.reason, short.mendable ? hint : null)]
    }),
  ]
}

const defaultUmask = 0o022

function row(name: string, requested: string): Pick<Enforcement, 'name' | 'kind' | 'requested'> {
  return { name, kind: 'isolation', requested }
}
