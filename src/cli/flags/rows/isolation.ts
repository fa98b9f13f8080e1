import { parseCapability } from '../../parse/capability.ts'
import { parseMount, parseTmpfs } from '../../parse/mount.ts'
import { oneOf } from '../../parse/one-of.ts'
import { parseUser } from '../../parse/user.ts'
import { type Flag, same, value, values, word } from '../flag.ts'

export const isolationFlags: readonly Flag[] = [
  {
    flag: '--user <USER[:GROUP]>',
    help: {
      run: 'name or number to run as, and of the group (default: nobody, where it is isolated), or own: one that no other task has',
      exec: "name or number to run as, and of the group (default: the task's)",
    },
    sets: {
      field: 'command.user',
      read: ({ command }, text: string) => Object.assign(command, parseUser(text)),
    },
  },
  {
    flag: '--group <GROUP>',
    help: same("name or number of the group (default: the user's own)", 'run', 'exec'),
    sets: value('command.group', word),
  },
  {
    flag: '--network <WHICH>',
    help: { run: 'host (the default) or none, which is a loopback of its own' },
    sets: value('command.network', oneOf('host', 'none')),
  },
  {
    flag: '--allow <HOST[:PORT]>',
    help: {
      run: 'no network but this destination: a name, *.domain or address/prefix, port 443 and 80 unless it is given (repeatable)',
      update:
        'the destinations of a task that was started with --allow, in the place of those it has (repeatable)',
    },
    repeats: true,
    sets: values('command.network', texts => ({ allow: [...texts] })),
  },
  {
    flag: '--hostname <NAME>',
    help: { run: 'the host name that the task sees' },
    sets: value('command.hostname', word),
  },
  {
    flag: '--mount <SRC[:DST][:ro]>',
    help: { run: 'show a file or directory of this host inside (repeatable)' },
    repeats: true,
    sets: values('command.mounts', texts => texts.map(parseMount)),
  },
  {
    flag: '--tmpfs <DST[:SIZE]>',
    help: { run: 'an empty file system in memory (repeatable)' },
    repeats: true,
    sets: values('command.tmpfs', texts => texts.map(parseTmpfs)),
  },
  {
    flag: '--cap-add <NAME>',
    help: { run: 'a capability to keep, such as NET_BIND_SERVICE (repeatable)' },
    repeats: true,
    sets: values('command.capabilities', texts => texts.map(parseCapability)),
  },
  {
    flag: '--seccomp <WHICH>',
    help: { run: 'default, or off for no filter of system calls' },
    sets: value('command.seccomp', oneOf('default', 'off')),
  },
  {
    flag: '--basic',
    help: { run: 'neither limits nor isolation: works everywhere' },
  },
  {
    flag: '--untrusted',
    help: {
      run: 'for code that nobody vouches for: a user of its own, no network, few processes and files, bounded directories, --strict',
    },
  },
  {
    flag: '--strict',
    help: { run: 'refuse to start where this host cannot enforce all that is asked for' },
  },
]
