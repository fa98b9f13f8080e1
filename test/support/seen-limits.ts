import { output } from './output.ts'
import type { Executor } from '../../src/index.ts'
import { readMounts } from '../../src/platform/linux/cgroup-mode.ts'

/** Files of limits, by controller, of version 1 and version 2. */
const files = {
  memory: ['memory.limit_in_bytes', 'memory.max'],
  cpu: ['cpu.cfs_quota_us', 'cpu.max'],
  pids: ['pids.max', 'pids.max'],
} as const

export type Controller = keyof typeof files

/** A task's script that prints how it sees its cgroups: for `seenLimit`. */
export const showCgroups = `
  echo @cgroup; cat /proc/self/cgroup
  echo @mountinfo; cat /proc/self/mountinfo
  echo @files
  for name in ${Object.values(files).flat().join(' ')}; do
    for file in /sys/fs/cgroup/$name /sys/fs/cgroup/*/$name; do [ -f $file ] && echo "$file $(cat $file)"; done
  done; true`

type Mounted = { readonly root: string; readonly at: string; readonly words: readonly string[] }

export type Seen = {
  /** Controllers ('' of version 2) and the path that /proc/self/cgroup has of them. */
  readonly paths: ReadonlyMap<string, string>
  readonly mounts: readonly Mounted[]
  readonly files: ReadonlyMap<string, string>
}

export async function seenBy(task: Executor): Promise<Seen> {
  const text = await output(task)
  const part = (name: string): string[] =>
    (text.split(`@${name}\n`)[1]?.split(/^@/m)[0] ?? '').split('\n').filter(Boolean)
  return {
    paths: new Map(
      part('cgroup').flatMap(line => {
        const [, controllers = '', ...path] = line.split(':')
        return controllers.split(',').map(name => [name, path.join(':')] as const)
      }),
    ),
    mounts: part('mountinfo').flatMap(line => {
      const [before = '', after = ''] = line.split(' - ')
      const [, , , root = '', at = ''] = before.split(' ')
      const [type, , options = ''] = after.split(' ')
      if (type === 'cgroup2') return [{ root, at, words: [''] }]
      return type === 'cgroup' ? [{ root, at, words: options.split(',') }] : []
    }),
    files: new Map(part('files').map(line => [line.split(' ')[0] ?? '', line.split(' ').slice(1).join(' ')])),
  }
}

/**
 * The limit as a runtime finds it: the path of /proc/self/cgroup, relative to what mountinfo says is mounted,
 * beneath where. Null: the two do not agree, or there is no such file.
 */
export function seenLimit({ paths, mounts, files: contents }: Seen, controller: Controller): string | null {
  const isV1 = paths.has(controller)
  const name = isV1 ? controller : ''
  const path = paths.get(name)
  const mount = mounts.find(({ words }) => words.includes(name))
  if (path === undefined || mount === undefined) return null
  const within =
    mount.root === '/' ? path : path.startsWith(mount.root) ? path.slice(mount.root.length) : null
  if (within === null) return null
  const directory = within === '' || within === '/' ? mount.at : `${mount.at}${within}`
  return contents.get(`${directory}/${files[controller][isV1 ? 0 : 1]}`) ?? null
}

/** Whether a v1 controller has another name than its mount, as where distributions mount cpu,cpuacct. */
export function sharesMount(controller: string): boolean {
  return readMounts('/proc').some(
    ({ type, superOptions, point }) =>
      type === 'cgroup' && superOptions.includes(controller) && !point.endsWith(`/${controller}`),
  )
}
