import type { Page } from 'playwright-core'

/** The ratio of WCAG between a text and what is behind it. */
export function contrast(page: Page, selector: string): Promise<number> {
  return page.evaluate(name => {
    // What fades in has none of its colours yet.
    for (const animation of document.getAnimations()) animation.finish()
    const element = document.querySelector(name)
    if (element === null) return 21
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const rgb = (color: string): number[] => {
      if (canvas === null) return [0, 0, 0, 0]
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
      return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const luminance = (color: number[]): number => {
      const [r = 0, g = 0, b = 0] = color
        .map(channel => channel / 255)
        .map(channel => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const inSvg = element instanceof SVGElement
    const ink = rgb(inSvg ? getComputedStyle(element).fill : getComputedStyle(element).color)
    let paper = [255, 255, 255, 255]
    for (
      let node: Element | null = inSvg ? element.parentElement : element;
      node !== null;
      node = node.parentElement
    ) {
      const frame = inSvg && node === element.parentElement ? node.querySelector('.frame') : null
      const color = rgb(
        frame === null ? getComputedStyle(node).backgroundColor : getComputedStyle(frame).fill,
      )
      if ((color[3] ?? 0) < 255) continue
      paper = color
      break
    }
    const [high = 0, low = 0] = [luminance(ink), luminance(paper)].sort((a, b) => b - a)
    return (high + 0.05) / (low + 0.05)
  }, selector)
}
