import type { Problems } from '../../validation/problems';
import type { AuthParts } from '../auth/auth-strategy';

/** The script with uvicorn's HTTP protocol that gives the REST API its short way. */
export const DIRECT_API_SCRIPT = 'direct_api.py';

export const DIRECT_API_ARGUMENT = '--http=direct_api:Protocol';

/** Options of uvicorn with which the script leaves all requests to FastAPI. */
const EXCLUDING_OPTIONS = ['--http', '--root-path', '--no-proxy-headers'];

/** The properties of a server that decide about the short way. */
interface DirectApiContext {
  readonly directApi?: boolean;
  readonly workspaces: boolean;
}

/** Options of uvicorn that the user adds. */
type UvicornOptions = readonly { readonly name: string }[];

/** Whether the REST API has its short way. */
export function hasDirectApi(
  server: DirectApiContext,
  uvicornOptions: UvicornOptions,
  auth: Pick<AuthParts, 'replacesApp'>,
): boolean {
  const isExcluded = uvicornOptions.some(({ name }) => EXCLUDING_OPTIONS.includes(name));
  return server.directApi ?? !(server.workspaces || isExcluded || auth.replacesApp === true);
}

/** Validates the prop `directApi`. */
export function checkDirectApi(problems: Problems, server: DirectApiContext, uvicornOptions: UvicornOptions): void {
  if (server.directApi !== true) {
    return;
  }
  if (server.workspaces) {
    problems.say(
      '`directApi` has no effect with `workspaces`, which FastAPI looks up for each request.',
      'Leave out one of them.',
    );
  }
  for (const { name } of uvicornOptions.filter((each) => EXCLUDING_OPTIONS.includes(each.name))) {
    problems.say(`\`directApi\` must not be set with \`extraArgs --uvicorn-opts ${name}\`.`, 'Leave out one of them.');
  }
}
