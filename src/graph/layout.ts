import type { ChartEdge, ChartState } from '../../machines/index.ts'

export type Point = { readonly x: number; readonly y: number }
export type Box = Point & { readonly width: number; readonly height: number }
export type PlacedState = Box & { readonly state: ChartState; readonly lines: readonly string[] }
export type PlacedEdge = {
  readonly edge: ChartEdge
  readonly points: readonly Point[]
  readonly label: Box
  readonly lines: readonly string[]
}
export type Layout = {
  readonly width: number
  readonly height: number
  readonly states: readonly PlacedState[]
  readonly edges: readonly PlacedEdge[]
  /** Where the arrow into the initial state begins. */
  readonly start: Box
  /** For what may come from everywhere; null where nothing does. */
  readonly any: Box | null
  readonly entry: readonly Point[]
}

export const lineHeight = 16
export const titleHeight = 30
