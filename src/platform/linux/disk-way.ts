import { nativeHint } from '../../spawn/native-hint.ts'
import { nativeProgram } from '../../spawn/native-program.ts'
import { type DiskRefusal, tryDisk } from '../../spawn/disk.ts'
import { tryProject } from '../../spawn/project.ts'
import type { DiskWay, TaskRequest } from '../port.ts'
import { hasOverlay } from '../overlay-place.ts'
import { type Access, powerHint } from './access.ts'
import type { Isolation } from './isolation.ts'

export type PowerOf = Pick<Access, 'right' | 'self'>

/** What of a task's isolation keeps it in its project. */
export type Walls = Pick<Isolation, 'capabilities' | 'seccomp'>

export type Denial = { readonly reason: string; readonly hint: string }

/** `why`: what became of the ways that come before it; null: it is the first. */
type Found = { readonly way: DiskWay; readonly why: string | null }

export type DiskFinding = Found | Denial

/** What of a host is tried; others for tests. */
export type DiskTrials = {
  readonly native: typeof nativeProgram
  readonly project: typeof tryProject
  readonly image: typeof tryDisk
}

const hostTrials: DiskTrials = { native: nativeProgram, project: tryProject, image: tryDisk }

/**
 * By what a task can be kept to a number of bytes: a project of the file system that `allocs` is in, else one
 * of its own in a file in `state`. Each is tried before it is said. `unfit`: why this
 * task cannot be in a project, whatever the host has; null: it can.
 */
export async function findDiskWay(
  { allocs, state }: { readonly allocs: string; readonly state: string },
  { right, self }: PowerOf,
  unfit: string | null = null,
  { native, project, image }: DiskTrials = hostTrials,
): Promise<DiskFinding> {
  if (right !== 'root')
    return {
      reason: "only root with root's capabilities can bound what lies on a disk",
      hint: powerHint(self),
    }
  const program = native()
  if ('unavailable' in program) return { reason: program.unavailable, hint: nativeHint() }
  const refused = unfit ?? wordsOfProject(await project(program.path, allocs))
  if (refused === null) return { way: 'project', why: null }
  const refusal = await image(program.path, state)
  return refusal === null ? { way: 'image', why: refused } : denialOf(refusal, refused)
}

/**
 * Why a task cannot be kept in a project: the owner of a file may give it another where no filter forbids
 * that, and limits bind nobody with CAP_SYS_RESOURCE, as whom an overlay is written to.
 */
export function unfitForProject(
  asked: Pick<TaskRequest, 'command'>,
  { capabilities, seccomp }: Walls,
): string | null {
  if (hasOverlay(asked)) return 'what an overlay takes is written with the power that no project binds'
  if (!seccomp) return 'without the filter of system calls a task could leave its project'
  const powerful = (capabilities ?? unbound).filter(name => unbound.includes(name))
  return powerful.length === 0 ? null : `no project binds a task with ${powerful.join(' and ')}`
}

const unbound = ['CAP_SYS_RESOURCE', 'CAP_SYS_ADMIN']

function wordsOfProject(refusal: DiskRefusal | null): string | null {
  if (refusal === null) return null
  const { step, errno } = refusal
  if (step === 'quota' && (errno === 'ENOSYS' || errno === 'EPERM'))
    return `project quotas cannot be asked for: the kernel, or a filter, refuses quotactl(2) (${errno})`
  const plain = step === 'quota' || step === 'open' || step === 'project' || step === 'count'
  return plain
    ? `the file system has no project quota (${errno})`
    : `its project quota is of no use (${step}: ${errno})`
}

function denialOf({ step, errno }: DiskRefusal, refused: string): Denial {
  const reason = `${refused}, and no file system of its own can be made (${step}: ${errno})`
  return { reason, hint: hints[step] ?? 'put the state directory (--state-dir) on a file system of a disk' }
}

const hints: Readonly<Record<string, string>> = {
  'mkfs.ext4': 'install mkfs.ext4 (e2fsprogs), or mount the file system of the state directory with prjquota',
  loop: 'this host needs /dev/loop-control and loop devices: modprobe loop',
  mount: 'this kernel needs ext4: modprobe ext4',
  namespace: 'run as root (sudo)',
}
