import type { Need } from '../support/requires.ts'

export const commands = ['run', 'ps', 'logs', 'stop', 'rm', 'doctor'] as const
export type Step = 'library' | (typeof commands)[number]

/**
 * `works`: as in a good environment, with the same rows. `refused`: an error of holdfast's own, which says
 * where and what to do. `unprinted`: it says that what it printed went nowhere. Nothing else is allowed: no
 * trace, no death by a signal, no task that nobody knows of.
 */
type Verdict = 'works' | 'refused' | 'unprinted'

export type Environment = {
  readonly what: string
  /** Statements of bash, and a command before the program; `$PLACE` is a directory of its own. */
  readonly before?: string
  readonly through?: readonly string[]
  /** Redirections. */
  readonly streams?: string
  readonly env?: Readonly<Record<string, string>>
  readonly node?: readonly string[]
  readonly as?: 'root' | 'user'
  readonly needs?: readonly Need[]
  /** Of its state directory: a file system of its own, filled before the environment is tried. */
  readonly full?: boolean
  /** One step after the other: they share a number that is limited. */
  readonly alone?: boolean
  /** All others work. */
  readonly expect?: Readonly<Partial<Record<Step, Verdict>>>
  /** What is said where it is refused. */
  readonly says?: RegExp
}

const starts = ['library', 'run'] as const
const everything = ['library', 'run', 'ps', 'logs', 'stop', 'rm'] as const
/** The state directory is another one, or none: the standing task is not to be found. */
const elsewhere = expecting('refused', 'logs', 'stop', 'rm')
const noReader = 'exec 9> >(:); wait $!'
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

export const environments: readonly Environment[] = [
  { what: 'a good one' },
  { what: 'a good one, an ordinary user', as: 'user' },

  { what: 'TMPDIR that does not exist', env: { TMPDIR: '/nonexistent/x' } },
  {
    what: 'TMPDIR that is a file, XDG_RUNTIME_DIR and a message bus that are not there',
    as: 'user',
    env: { TMPDIR: '/etc/passwd', XDG_RUNTIME_DIR: '/nonexistent', DBUS_SESSION_BUS_ADDRESS: 'rubbish' },
  },
  {
    what: 'no HOME and no user of that number',
    as: 'user',
    before: 'unset HOME HOLDFAST_STATE_DIR',
    expect: expecting('refused', ...everything),
    says: /HOLDFAST_STATE_DIR/,
  },
  {
    what: 'HOME that is empty',
    as: 'user',
    before: 'unset HOLDFAST_STATE_DIR; export HOME=',
    expect: expecting('refused', ...everything),
    says: /HOLDFAST_STATE_DIR/,
  },
  {
    what: 'HOME that is relative',
    as: 'user',
    before: 'unset HOLDFAST_STATE_DIR; export HOME=some/where',
    expect: expecting('refused', ...everything),
    says: /HOLDFAST_STATE_DIR/,
  },
  {
    what: 'HOME that is a file',
    as: 'user',
    before: 'unset HOLDFAST_STATE_DIR; export HOME=/etc/passwd',
    expect: expecting('refused', ...everything),
    says: /is a file/,
  },
  {
    what: 'XDG_STATE_HOME that is a file',
    as: 'user',
    before: 'unset HOLDFAST_STATE_DIR; export XDG_STATE_HOME=/etc/passwd',
    expect: expecting('refused', ...everything),
    says: /is a file/,
  },
  {
    what: 'XDG_STATE_HOME that is relative, and so ignored',
    as: 'user',
    before: 'unset HOLDFAST_STATE_DIR; export XDG_STATE_HOME=some/where',
    expect: elsewhere,
  },
  { what: 'a working directory that is deleted', before: 'cd $(mktemp -d -p .) && rmdir $PWD' },
  {
    what: 'a working directory that is deleted, and a relative state directory',
    before: 'cd $(mktemp -d -p .) && rmdir $PWD; export HOLDFAST_STATE_DIR=state',
    expect: expecting('refused', ...everything),
    says: /working directory/,
  },
  {
    what: 'a working directory that may not be searched',
    as: 'user',
    before: 'cd $(mktemp -d -p .) && chmod 0 .',
  },
  {
    what: 'a full file system for the state',
    full: true,
    needs: ['root'],
    expect: expecting('refused', ...starts),
    says: /space/i,
  },
  {
    what: 'a read-only file system for the state',
    needs: ['root'],
    through: [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount --bind $PLACE $PLACE && mount -o remount,ro,bind $PLACE && exec "$@"',
      'sh',
    ],
    expect: expecting('refused', ...starts, 'rm'),
    says: /read-only/i,
  },
  {
    what: 'a tiny /dev/shm',
    needs: ['root'],
    through: [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs -o size=4k tmpfs /dev/shm && exec "$@"',
      'sh',
    ],
  },

  // Streams.
  { what: 'standard input closed', streams: '<&-' },
  { what: 'standard output closed', streams: '>&-' },
  { what: 'standard error closed', streams: '2>&-' },
  { what: 'all three closed', streams: '<&- >&- 2>&-' },
  {
    what: 'standard output on a full disk',
    streams: '>/dev/full',
    expect: expecting('unprinted', 'run', 'ps', 'logs', 'stop', 'rm', 'doctor'),
  },
  { what: 'standard error on a full disk', streams: '2>/dev/full' },
  { what: 'standard output without a reader', before: noReader, streams: '>&9' },
  { what: 'standard error without a reader', before: noReader, streams: '2>&9' },

  // What Node's permission model refuses.
  {
    what: "Node's permission model: reading",
    node: [permission, '--allow-fs-read=*'],
    expect: expecting('refused', ...starts, 'rm', 'doctor'),
    says: /--allow-/,
  },
  {
    what: "Node's permission model: files",
    node: [permission, '--allow-fs-read=*', '--allow-fs-write=*'],
    expect: expecting('refused', ...starts, 'rm', 'doctor'),
    says: /--allow-child-process/,
  },
  {
    what: "Node's permission model: files and processes",
    node: [permission, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process'],
  },

  // Limits.
  {
    what: '20 open files',
    through: ['prlimit', '--nofile=20:20'],
    expect: expecting('refused', 'run', 'ps', 'logs', 'stop', 'rm', 'doctor', 'library'),
    says: /ulimit -n/,
  },
  {
    what: '16 processes of an ordinary user',
    as: 'user',
    alone: true,
    through: ['prlimit', '--nproc=16:16'],
    expect: expecting('refused', ...starts),
    says: /ulimit -u/,
  },
  {
    what: 'files of no size',
    through: ['prlimit', '--fsize=0:0'],
    expect: expecting('refused', ...starts),
    says: /ulimit -f/,
  },
  {
    what: '64 open files, files of 4 KiB, 4 GB of addresses, no core dumps and a stack without limit',
    through: [
      ...['prlimit', '--nofile=64:64', '--fsize=4096:4096', '--as=4096000000', '--core=0:0'],
      '--stack=unlimited:unlimited',
    ],
  },

  // Signals, scheduling, sessions.
  {
    what: 'SIGCHLD, SIGPIPE, SIGHUP, SIGTERM and SIGINT ignored, and nice 19',
    through: [
      ...['nice', '-n', '19', 'env'],
      ...['CHLD', 'PIPE', 'HUP', 'TERM', 'INT'].map(name => `--ignore-signal=${name}`),
    ],
  },
  {
    what: 'SIGCHLD, SIGPIPE, SIGHUP, SIGTERM and SIGUSR2 blocked, and a stack of 128 KiB',
    through: [
      ...['prlimit', '--stack=131072', 'env'],
      ...['CHLD', 'PIPE', 'HUP', 'TERM', 'USR2'].map(name => `--block-signal=${name}`),
    ],
  },
  {
    what: 'the lead of a session without a terminal, and umask 0',
    before: 'umask 0',
    through: ['setsid', '--wait'],
  },
  { what: 'umask 0777', before: 'umask 0777' },
  {
    what: 'umask 0777, an ordinary user',
    before: 'umask 0777',
    as: 'user',
    expect: expecting('refused', 'library'),
    says: /umask/,
  },

  {
    what: 'an empty PATH, a language and a time zone that are none, and contradictory colours',
    env: {
      ...{ PATH: '', LANG: 'xx_YY.UTF-99', LC_ALL: 'nowhere', TZ: 'No/Where' },
      ...{ NO_COLOR: '1', FORCE_COLOR: '3', TERM: 'none', COLUMNS: 'many' },
    },
  },
  { what: 'a relative PATH', env: { PATH: 'bin:.' } },
  {
    what: 'no variables but where the state is',
    before:
      'for name in $(compgen -e); do case $name in PLACE|HOLDFAST_STATE_DIR) ;; *) unset $name;; esac; done',
  },
  {
    what: 'NODE_OPTIONS that loads something',
    before: `printf 'require("node:fs").writeFileSync(process.env.PLACE + "/scratch/loaded-" + process.pid, process.argv[1] ?? "")' > $PLACE/scratch/required.cjs; export NODE_OPTIONS=--require=$PLACE/scratch/required.cjs`,
  },
]

function expecting(verdict: Verdict, ...steps: readonly Step[]): Partial<Record<Step, Verdict>> {
  return Object.fromEntries(steps.map(step => [step, verdict]))
}
