export const root: string
export const sources: string
export function sourceFiles(): string[]
export function sourcesDigest(): string
export function mark(digest?: string): string
