import {
  assign,
  enqueueActions,
  fromCallback,
  fromPromise,
  type SnapshotFrom,
  setup,
  spawnChild,
  stopChild,
} from 'xstate'
import { failureFrom } from './failure.ts'
import { launchOutcome } from './outcome.ts'
import { passedStates } from './passed-states.ts'
import { isSooner, stopInput, stopRequest } from './stop-request.ts'
import type {
  LaunchInput,
  LaunchOutput,
  StopInput,
  TaskContext,
  TaskEvent,
  TaskInput,
  WatchInput,
} from './task-types.ts'

export type TaskSnapshot = SnapshotFrom<typeof taskMachine>

/**
 * The life of one task. Effects are three actors, supplied with `.provide({ actors })`; all of them run *again* when a snapshot is
 * restored, so each must find out first what was done already, and being stopped means to let go, never to kill:
 *
 * - `launch` starts the task or adopts the one its directory tells of. Reject with an Error, a Failure,
 *   `{ failure, at }`, or `{ outcome }` where there is an exit record.
 * - `watch` sends EXITED once, also for an end that lies in the past.
 * - `stop` delivers the graceful signal, waits for `killAt`, then kills the tree. It is started again whenever `killAt` moves.
 *
 * Refusals are missing transitions; decisions.ts has the table for people and for the executor.
 */
export const taskMachine = setup({
  types: {
    context: {} as TaskContext,
    events: {} as TaskEvent,
    input: {} as TaskInput,
    children: {} as { launch: 'launch'; watch: 'watch'; stop: 'stop' },
  },
  actors: {
    launch: fromPromise<LaunchOutput, LaunchInput>(() => notProvided('launch')),
    watch: fromCallback<TaskEvent, WatchInput>(() => notProvided('watch')),
    stop: fromPromise<void, StopInput>(() => notProvided('stop')),
  },
  guards: {
    notLaunching: ({ context }) => !context.launching,
    launching: ({ context }) => context.launching,
    notEnded: ({ context }) => context.outcome === null,
    stopRequested: ({ context }) => context.stop !== null,
    stopIsSooner: ({ context, event }) => isSooner(context.stop, stopRequest(context.stop, event)),
    stopHasFailed: ({ context }) => context.stopFailure !== null,
    watchHasFailed: ({ context }) => context.watchFailure !== null,
  },
  actions: {
    count: assign({ sequence: ({ context }) => context.sequence + 1 }),
    rememberStop: assign({ stop: ({ context, event }) => stopRequest(context.stop, event) }),
    // After the outcome is known: it says whether the task ran, and so how many states lie behind it.
    countEnd: assign({ sequence: ({ context }) => passedStates('exited', context).length }),
    rememberOutcome: assign(({ context, event }) =>
      event.type === 'EXITED'
        ? { outcome: event.outcome, launching: false, stop: context.stop ?? event.stop ?? null }
        : context,
    ),
    launchTask: enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'START') return
      enqueue.assign({ key: event.key, startRequestedAt: event.at, launching: true })
      enqueue.spawnChild('launch', { id: 'launch', input: { key: event.key } })
    }),
    giveUpWatch: enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'xstate.error.actor.watch') return
      enqueue.stopChild('watch')
      enqueue.assign({ watchFailure: failureFrom(event.error, 'LOST') })
    }),
    watchAgain: enqueueActions(({ context, enqueue }) => {
      if (context.watchFailure === null) return
      enqueue.assign({ watchFailure: null })
      enqueue.spawnChild('watch', { id: 'watch', input: { key: keyOf(context) } })
    }),
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => ({
    name: input.name,
    key: null,
    limits: false,
    launching: false,
    startRequestedAt: null,
    start: null,
    stop: null,
    stopFailure: null,
    watchFailure: null,
    outcome: null,
    sequence: 0,
  }),
  initial: 'configured',
  on: {
    // XState ends a machine that gets an error nobody handles; a late one of an actor that was let go must not.
    'xstate.error.actor.launch': {},
    'xstate.error.actor.watch': {},
    RECOVER: {
      guard: 'notEnded',
      target: '.exited',
      actions: [
        assign(({ context, event }) => ({
          key: event.key,
          start: context.start ?? event.start,
          outcome: event.outcome,
          launching: false,
        })),
        'countEnd',
      ],
    },
  },
  states: {
    configured: {
      on: {
        LIMIT: { target: 'limited', actions: ['count', assign({ limits: true })] },
        CONFIGURE: { actions: assign({ name: ({ event }) => event.name }) },
        START: {
          target: 'limited',
          actions: ['count', 'launchTask'],
        },
      },
    },
    limited: {
      on: {
        LIMIT: { guard: 'notLaunching', actions: assign({ limits: true }) },
        CONFIGURE: { guard: 'notLaunching', actions: assign({ name: ({ event }) => event.name }) },
        START: { guard: 'notLaunching', actions: 'launchTask' },
        // Leaving on STOP would abandon the launch while its process may exist already: remembered, and acted on in `running`.
        STOP: { guard: 'launching', actions: 'rememberStop' },
        KILL: { guard: 'launching', actions: 'rememberStop' },
        'xstate.done.actor.launch': {
          guard: 'launching',
          target: 'running',
          actions: [
            'count',
            stopChild('launch'),
            assign(({ event }) => ({ start: event.output.start, launching: false })),
          ],
        },
        'xstate.error.actor.launch': {
          guard: 'launching',
          target: 'exited',
          actions: [
            assign(({ event }) => ({ outcome: launchOutcome(event.error), launching: false })),
            'countEnd',
          ],
        },
        // A launch that found the records of a task which has ended already.
        EXITED: { guard: 'launching', target: 'exited', actions: ['rememberOutcome', 'countEnd'] },
      },
    },
    running: {
      entry: spawnChild('watch', { id: 'watch', input: ({ context }) => ({ key: keyOf(context) }) }),
      always: { guard: 'stopRequested', target: 'stopping', actions: 'count' },
      on: {
        STOP: { target: 'stopping', actions: ['count', 'rememberStop'] },
        KILL: { target: 'stopping', actions: ['count', 'rememberStop'] },
        EXITED: { target: 'exited', actions: ['rememberOutcome', 'countEnd'] },
        RETRY: { guard: 'watchHasFailed', actions: 'watchAgain' },
        'xstate.error.actor.watch': { actions: 'giveUpWatch' },
      },
    },
    stopping: {
      entry: assign({ stopFailure: null }),
      invoke: {
        id: 'stop',
        src: 'stop',
        input: ({ context }) => stopInput(keyOf(context), context.stop),
        // Neither ends the task: only EXITED does, when nothing of it is left.
        // Kept as children they would report once more on every restore.
        onDone: { actions: stopChild('stop') },
        onError: {
          actions: [
            stopChild('stop'),
            assign({ stopFailure: ({ event }) => failureFrom(event.error, 'LOST') }),
          ],
        },
      },
      on: {
        STOP: [
          { guard: 'stopIsSooner', target: 'stopping', reenter: true, actions: 'rememberStop' },
          { guard: 'stopHasFailed', target: 'stopping', reenter: true },
        ],
        // Always anew: the kill that was sent before may not have reached everything.
        KILL: { target: 'stopping', reenter: true, actions: 'rememberStop' },
        EXITED: { target: 'exited', actions: ['rememberOutcome', 'countEnd'] },
        RETRY: [
          { guard: 'stopHasFailed', target: 'stopping', reenter: true, actions: 'watchAgain' },
          { guard: 'watchHasFailed', actions: 'watchAgain' },
        ],
        'xstate.error.actor.watch': { actions: 'giveUpWatch' },
      },
    },
    // Spawned actors would stay in the final snapshot.
    exited: { type: 'final', entry: [stopChild('launch'), stopChild('watch')] },
  },
})

function notProvided(actor: string): never {
  throw new Error(`The task machine's actor "${actor}" is not provided: use taskMachine.provide({ actors }).`)
}

function keyOf({ key }: TaskContext): string {
  if (key === null) throw new Error('an actor before START')
  return key
}
