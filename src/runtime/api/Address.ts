/** Where a server listens: `127.0.0.1:4180`, `0.0.0.0:4180`, `[::1]:4180`, or a port alone, which is loopback's. Pure. */

export interface Address {
  readonly host: string
  readonly port: number
}

/** `example:80` -> host and port; undefined when it is neither. */
export const parse = (text: string): Address | undefined => {
  const found = /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+))?:)?(\d{1,5})$/i.exec(text.trim())
  if (found === null || Number(found[3]) > 65_535) return undefined
  return { host: found[1] ?? found[2] ?? "127.0.0.1", port: Number(found[3]) }
}

export const toText = ({ host, port }: Address): string => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
