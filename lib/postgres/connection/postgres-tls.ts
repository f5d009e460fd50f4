import { type FileSource } from '../../kube/values/file-source';
import type { Problems } from '../../validation/problems';

import type { TlsCertificate } from '../../kube/values/tls-certificate';

/** What is checked of the server's certificate. */
export interface VerifiedTlsOptions {
  /** The certificate of the CA that signed the server's certificate, PEM. */
  readonly ca: FileSource;

  /**
   * A certificate that proves who the client is.
   * @default - none: the server asks for a password only
   */
  readonly clientCertificate?: TlsCertificate;
}

/**
 * How the connection to PostgreSQL is encrypted: libpq's `sslmode`.
 *
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export class PostgresTls {
  /** Never encrypt. For a database behind a sidecar or a mesh that encrypts. */
  public static readonly DISABLE = new PostgresTls('disable');

  /** Encrypt if the server can. The default inside the cluster, where the server often has no certificate. */
  public static readonly PREFER = new PostgresTls('prefer');

  /** Always encrypt, trust any certificate. The default outside the cluster: keeps listeners out, not impostors. */
  public static readonly REQUIRE = new PostgresTls('require');

  /** Always encrypt, and accept only a certificate that the CA signed. */
  public static verifyCa(options: VerifiedTlsOptions): PostgresTls {
    return new PostgresTls('verify-ca', options.ca, options.clientCertificate);
  }

  /** Always encrypt, and accept only a certificate that the CA signed for the very host name. The safest. */
  public static verifyFull(options: VerifiedTlsOptions): PostgresTls {
    return new PostgresTls('verify-full', options.ca, options.clientCertificate);
  }

  private constructor(
    /** The value of libpq's `sslmode`. */
    public readonly mode: string,
    /** The certificate of the CA. */
    public readonly ca?: FileSource,
    /** The certificate that proves who the client is. */
    public readonly clientCertificate?: TlsCertificate,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    this.ca?._check(problems, 'tls.ca');
    this.clientCertificate?._check(problems, 'tls.clientCertificate');
  }
}
