/** The five states of a task, in the order they are passed. */
export type TaskState = 'configured' | 'limited' | 'running' | 'stopping' | 'exited'

export const taskStates: readonly TaskState[] = ['configured', 'limited', 'running', 'stopping', 'exited']
