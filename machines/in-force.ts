import {
  finite,
  flag,
  integer,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  text,
  type ValueOf,
} from './shape.ts'

const id = integer(0, 0xffffffff)

/** What the shim was told of a task's isolation: kept in task.json, to be compared with what is in force. */
export type AskedOfKernel = ValueOf<typeof askedOfKernel>
export const askedOfKernel = object({
  /** Null: the user of the shim. */
  credentials: nullable(object({ uid: id, gid: id, groups: listOf(id) })),
  namespaces: listOf(oneOf('mount', 'pid', 'ipc', 'uts', 'cgroup', 'network')),
  networkPath: nullable(text),
  /** Numbers; null: they were left alone. */
  capabilities: nullable(listOf(integer(0, 63))),
  noNewPrivileges: flag,
  seccomp: flag,
  /** -1 is infinity. */
  rlimits: listOf(object({ name: text, soft: finite, hard: finite })),
})

const namespaceLink = optional(nullable(text))

/** What the kernel says of one process, in its own words: a line of a file, or where a link leads. */
export type KernelFacts = ValueOf<typeof kernelFacts>
export const kernelFacts = object({
  /** Of /proc/PID/status. Absent: this kernel does not say it. */
  status: object({
    Uid: text,
    Gid: text,
    Groups: text,
    CapInh: text,
    CapPrm: text,
    CapEff: text,
    CapBnd: text,
    CapAmb: optional(text),
    NoNewPrivs: optional(text),
    Seccomp: optional(text),
    Seccomp_filters: optional(text),
  }),
  /** Of /proc/PID/ns. Null: whoever reads may not know it; absent: this kernel has none. */
  namespaces: object({
    mnt: namespaceLink,
    pid: namespaceLink,
    ipc: namespaceLink,
    uts: namespaceLink,
    cgroup: namespaceLink,
    net: namespaceLink,
    user: namespaceLink,
  }),
  /** `DEVICE:INODE` of the root directory; null: whoever reads may not know it. */
  root: nullable(text),
})
