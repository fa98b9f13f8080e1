import { parseDuration } from '../../parse/duration.ts'
import { parseCores, parseCount } from '../../parse/number.ts'
import { oneOf } from '../../parse/one-of.ts'
import { parseSize } from '../../parse/size.ts'
import { parseUlimit } from '../../parse/ulimit.ts'
import { type Flag, same, value, values, word } from '../flag.ts'

export const limitFlags: readonly Flag[] = [
  {
    flag: '--cpu <SHARES>',
    help: {
      ...same('weight among the tasks that want the processor, 2 or more', 'run', 'update'),
      exec: 'weight among the processes of the task that want the processor, 2 or more',
    },
    sets: value('resources.cpu', parseCount),
  },
  {
    flag: '--cpus <CORES>',
    help: same('maximum processor time; 0.5 is half a core', 'run', 'exec', 'update'),
    sets: value('resources.cpuLimit', parseCores),
  },
  {
    flag: '--cpu-policy <POLICY>',
    help: same(
      'other, batch (nobody waits for it) or idle (only otherwise unused processor time)',
      'run',
      'exec',
    ),
    sets: value('command.cpuPolicy', oneOf('other', 'batch', 'idle')),
  },
  {
    flag: '--cpuset <LIST>',
    help: same('the processors it may use, such as 0-1,3', 'run', 'update'),
    sets: value('resources.cpuset', word),
  },
  {
    flag: '--memory <SIZE>',
    help: {
      run: 'maximum memory; it gets no swap',
      exec: "maximum memory, of the task's; what runs out of it ends, and the task goes on",
      update: 'maximum memory; refused where it uses more than that already',
    },
    sets: value('resources.memoryBytes', parseSize),
  },
  {
    flag: '--oom <WHO>',
    help: same(
      'who dies when memory is out: task (the default), or the process that the kernel picks',
      'run',
      'update',
    ),
    sets: value('resources.oom', oneOf('task', 'process')),
  },
  {
    flag: '--pids <COUNT>',
    help: {
      run: 'maximum number of processes and threads; max for no limit (default: 4096)',
      exec: "maximum number of processes and threads, of the task's",
      update: 'maximum number of processes and threads; those there are stay',
    },
    sets: value('resources.pids', parseCount),
  },
  {
    flag: '--timeout <TIME>',
    help: {
      run: 'stop it after this time',
      exec: 'stop it after this time',
      update: 'stop it this time after its start; at once if that has passed',
    },
    sets: value('resources.wallTimeMs', parseDuration),
  },
  {
    flag: '--disk <SIZE>',
    help: {
      run: 'maximum that it stores in /local, /alloc and its logs together; max for no limit',
      update: 'more of what it stores in /local, /alloc and its logs together; refused where it is less',
    },
    sets: value('resources.diskBytes', parseSize),
  },
  {
    flag: '--max-output <SIZE>',
    help: {
      run: 'stop it when it has printed more than this',
      exec: 'stop it when it has printed more than this',
      update: 'stop it when it has printed more than this; at once if it has',
    },
    sets: value('resources.outputBytes', parseSize),
  },
  {
    flag: '--ulimit <NAME=SOFT[:HARD]>',
    help: { run: 'a limit of setrlimit(2), such as nofile=1024 (repeatable)' },
    repeats: true,
    sets: values('resources.rlimits', texts =>
      texts.reduce((limits, text) => ({ ...limits, ...parseUlimit(text) }), {}),
    ),
  },
]
