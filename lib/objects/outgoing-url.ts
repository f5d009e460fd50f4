import type { Problems } from '../validation/problems';

const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** Names that only a cluster or a private network knows, and private IPv4 addresses. */
const PRIVATE_HOST =
  /^[^.:]+$|\.(svc|local|localhost|internal)$|^(0|10|127)\.[\d.]+$|^(169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/;

/** What a server allows of the URLs that it sends to. Each hint is a whole sentence. */
export interface UrlRules {
  readonly longest: number;
  readonly allowsHttp: boolean;
  readonly httpHint?: string;
  readonly allowsPrivate: boolean;
  readonly privateHint: string;
  /** Where a login belongs. */
  readonly loginHint: string;
}

/** Validates a URL to which MLflow sends requests, as MLflow does (`_validate_public_https_url`). */
export function checkOutgoingUrl(problems: Problems, prop: string, text: string, rules: UrlRules): URL | undefined {
  const url = parsed(text);
  const schemes = rules.allowsHttp ? ['https:', 'http:'] : ['https:'];
  if (url === undefined || !schemes.includes(url.protocol) || text.length > rules.longest || /\s/.test(text)) {
    const hint = url?.protocol === 'http:' ? rules.httpHint : undefined;
    problems.add(prop, `must be a URL of https, of at most ${String(rules.longest)} characters`, text, hint);
    return undefined;
  }
  if (url.username !== '' || url.password !== '') {
    problems.say(`\`${problems.name(prop)}\` must be without a login: it is in the manifest.`, rules.loginHint);
  }
  if (PRIVATE_HOST.test(url.hostname) && !rules.allowsPrivate) {
    problems.add(prop, 'must be at a public address: MLflow refuses others', text, rules.privateHint);
  }
  return url;
}

/** The port of a URL. */
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
