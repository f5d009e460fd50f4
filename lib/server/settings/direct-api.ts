import type { Problems } from '../../validation/problems';
import type { AuthParts } from '../auth/auth-strategy';

/** The script with uvicorn's HTTP protocol that gives the REST API its short way. */
export const DIRECT_API_SCRIPT = 'direct_api.py';

/** The option of uvicorn that names it. */
export const DIRECT_API_OPTION = '--http';

export const DIRECT_API_ARGUMENT = `${DIRECT_API_OPTION}=direct_api:Protocol`;

/** The properties of a server that decide about the short way. */
interface DirectApiContext {
  readonly directApi?: boolean;
  readonly workspaces: boolean;
}

/** Whether the REST API has its short way. `uvicornOptions`: names of the options that the user adds. */
export function hasDirectApi(
  server: DirectApiContext,
  uvicornOptions: readonly string[],
  auth: Pick<AuthParts, 'replacesApp'>,
): boolean {
  const isPossible = !server.workspaces && !uvicornOptions.includes(DIRECT_API_OPTION) && auth.replacesApp !== true;
  return server.directApi ?? isPossible;
}

/** Validates the prop `directApi`. `uvicornOptions`: names of the options that the user adds. */
export function checkDirectApi(problems: Problems, server: DirectApiContext, uvicornOptions: readonly string[]): void {
  if (server.directApi !== true) {
    return;
  }
  if (server.workspaces) {
    problems.say(
      '`directApi` has no effect with `workspaces`, which FastAPI looks up for each request.',
      'Leave out one of them.',
    );
  }
  if (uvicornOptions.includes(DIRECT_API_OPTION)) {
    problems.say(
      `\`extraArgs --uvicorn-opts ${DIRECT_API_OPTION}\` must not be set with \`directApi\`, which sets it itself.`,
      'Leave out one of them.',
    );
  }
}
