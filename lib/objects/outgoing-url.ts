const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** Names that only a cluster or a private network knows, and private IPv4 addresses. */
const PRIVATE_HOST =
  /^[^.:]+$|\.(svc|local|localhost|internal)$|^(0|10|127)\.[\d.]+$|^(169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/;

/** A URL to which MLflow may send requests, or undefined: of HTTPS, or HTTP where the server allows it, and not too long. */
export function outgoingUrl(text: string, longest: number, allowsHttp: boolean): URL | undefined {
  const url = parsed(text);
  const schemes = allowsHttp ? ['https:', 'http:'] : ['https:'];
  return url === undefined || !schemes.includes(url.protocol) || text.length > longest || /\s/.test(text)
    ? undefined
    : url;
}

/** Whether there is a login in it. */
export function hasLogin({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** Whether it is at an address that MLflow refuses as long as the server does not allow private ones. */
export function isPrivate({ hostname }: URL): boolean {
  return PRIVATE_HOST.test(hostname);
}

/** Its port. */
export function portOf(url: URL | undefined): number {
  return Number(url?.port) || (url?.protocol === 'http:' ? HTTP_PORT : HTTPS_PORT);
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
