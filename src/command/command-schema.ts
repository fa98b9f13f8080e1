import * as z from 'zod'
import type { Namespace } from '../api.ts'
import { largestId } from './accounts.ts'
import { capabilityNumber, takesCapability } from './capabilities.ts'
import { isTaskName, takesTaskName } from './task-name.ts'
import { isFaithful } from './faithful.ts'
import {
  absolutePath,
  anyText,
  fields,
  flag,
  innerPath,
  integer,
  listOf,
  matching,
  oneOf,
  someText,
  targetPath,
} from './fields.ts'
import { isAbsoluteHere } from './paths.ts'

const namespaces = [
  'mount',
  'pid',
  'ipc',
  'uts',
  'cgroup',
  'network',
  'user',
] as const satisfies readonly Namespace[]

// No account's name has a colon (passwd(5)): "1000:1000" is a user and a group, which are two fields.
const takesAccount = `a name without ":", or an integer >= 0 and <= ${largestId}`
const account = z
  .custom<string | number>(
    value => (typeof value === 'string' ? /^[^:]+$/.test(value) && isFaithful(value) : isId(value)),
    {
      error: takesAccount,
    },
  )
  .optional()

// A relative path would be relative to what? The task, the supervisor and the allocation all have a claim.
const file = matching(
  '"null", an absolute path without NUL and lone surrogates, or "fd:" and the number of an open descriptor',
  path => path === 'null' || (isAbsoluteHere(path) && isFaithful(path)) || isDescriptor(path),
).optional()

function isDescriptor(text: string): boolean {
  const [, number] = /^fd:(0|[1-9]\d{0,6})$/.exec(text) ?? []
  return number !== undefined && Number(number) <= 0xfffff
}

const rotation = fields({
  // A page: what is less would be more renames than writes.
  maxBytes: integer(4096, Number.MAX_SAFE_INTEGER, 'bytes'),
  maxFiles: integer(2, 100),
})
const logs = wordOr('plain', rotation, '"plain" or { maxBytes, maxFiles }').optional()

const mount = fields({ source: absolutePath, target: targetPath, readOnly: flag.optional() })
const tmpfs = fields({
  target: targetPath,
  sizeBytes: integer(1, Number.MAX_SAFE_INTEGER, 'bytes').optional(),
})
const device = matching(
  'a path in /dev, without "..", NUL and lone surrogates',
  path => /^\/dev\/.*[^/]$/s.test(path) && isFaithful(path) && !path.split('/').includes('..'),
)

/** A plain object of strings whose names and values both have rules. z.record would lose a `__proto__`. */
function texts(takes: string, name: z.ZodType, value: z.ZodType): z.ZodType<Record<string, string>> {
  return z
    .custom<Record<string, string>>(isPlainObject, { error: takes, abort: true })
    .superRefine((entries, context) => {
      for (const [key, text] of Object.entries(entries)) {
        const [issue] = [...issuesOf(name, key), ...issuesOf(value, text)]
        if (issue) context.addIssue({ code: 'custom', path: [key], message: issue })
      }
    })
}

const issuesOf = (schema: z.ZodType, value: unknown): string[] =>
  schema.safeParse(value).error?.issues.map(issue => issue.message) ?? []

const environment = texts(
  'an object of strings',
  matching(
    'a non-empty name without "=", NUL and lone surrogates',
    name => name !== '' && !name.includes('=') && isFaithful(name),
  ),
  anyText,
)

const labels = texts(
  'an object of strings',
  matching('a name of 1 to 128 letters, digits, ".", "_", "-" and "/"', name =>
    /^[A-Za-z0-9._/-]{1,128}$/.test(name),
  ),
  anyText,
)

const takesNetwork = '"host", "none" or { path: an absolute path }'
const network = z
  .union([oneOf('host', 'none'), fields({ path: absolutePath })], { error: takesNetwork })
  .optional()

const embedded = texts('an object of paths, { hostPath: pathInRoot }', absolutePath, innerPath)
const root = wordOr(
  'host',
  fields({ embed: embedded }),
  '"host" or { embed: { hostPath: pathInRoot } }',
).optional()

const cells = integer(1, 65_535)
export const terminalSize = fields({ rows: cells, columns: cells })

export const commandSchema = fields({
  path: someText,
  args: listOf(anyText, 'an array of strings'),
  argv0: anyText.optional(),
  interpolate: flag.optional(),
  env: environment,
  cwd: absolutePath.optional(),
  user: account,
  group: account,
  umask: integer(0, 0o777, '0o777 at most').optional(),
  stdin: file,
  stdout: file,
  stderr: file,
  terminal: terminalSize.optional(),
  logs,
  hostname: matching('1 to 64 letters, digits, "-" and "."', name =>
    /^[A-Za-z0-9.-]{1,64}$/.test(name),
  ).optional(),
  network,
  mounts: listOf(mount, 'an array of { source, target, readOnly }').optional(),
  tmpfs: listOf(tmpfs, 'an array of { target, sizeBytes }').optional(),
  devices: listOf(device, 'an array of paths in /dev').optional(),
  root,
  capabilities: listOf(
    matching(takesCapability, name => capabilityNumber(name) !== null),
    'an array of names',
  ).optional(),
  noNewPrivileges: flag.optional(),
  seccomp: oneOf('default', 'off').optional(),
  namespaces: fields(Object.fromEntries(namespaces.map(name => [name, flag.optional()]))).optional(),
  cgroups: listOf(absolutePath, 'an array of absolute paths').optional(),
  oomScoreAdj: integer(-1000, 1000).optional(),
  nice: integer(-20, 19).optional(),
  name: matching(takesTaskName, isTaskName).optional(),
  labels: labels.optional(),
})

/** One word, or an object whose fields are named in errors: a union would name none. */
function wordOr(word: string, object: z.ZodType, takes: string) {
  return z
    .custom(value => value === word || isPlainObject(value), { error: takes, abort: true })
    .superRefine((value, context) => {
      if (value === word) return
      for (const issue of object.safeParse(value).error?.issues ?? []) {
        const path = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : issue.path
        context.addIssue({ code: 'custom', path, message: issue.message })
      }
    })
}

function isId(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= largestId
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
