import type { Problems } from '../../kube/problems';

import type { IngressOptions } from '../ingress';

/** What the URL of an identity provider must look like. */
export function checkIssuer(problems: Problems, url: string): void {
  if (!/^https?:\/\/[^\s?#]+$/.test(url) || url.includes('/.well-known/')) {
    problems.add(
      'auth.issuerUrl',
      'must be the URL of an identity provider, as its tokens name it in `iss`',
      url,
      'Leave out /.well-known/openid-configuration.',
    );
  }
}

/** What a URL must look like that browsers are sent to. */
export function checkUrl(problems: Problems, prop: string, url: string | undefined): void {
  if (url !== undefined && !/^https?:\/\/[^\s?#/]+\/[^\s?#]*$/.test(url)) {
    problems.add(prop, 'must be a URL with scheme, host and path', url);
  }
}

/** Where a provider sends people back to, if there is one place only. */
export function callbackUrl(ingress: IngressOptions | undefined, path: string): string | undefined {
  const [host, ...others] = ingress?.hosts ?? [];
  if (host === undefined || others.length > 0 || host.startsWith('*')) {
    return undefined;
  }
  return `${ingress?.tlsSecretName === undefined ? 'http' : 'https'}://${host}${path}`;
}
