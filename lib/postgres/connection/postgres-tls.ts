import type { FileSource } from '../../kube/values/file-source';
import type { TlsCertificate } from '../../kube/values/tls-certificate';
import type { Problems } from '../../validation/problems';

/** Options of {@link PostgresTls.verifyCa}. */
export interface VerifiedTlsOptions {
  /** Certificate of the CA that signed the server's certificate, PEM. */
  readonly ca: FileSource;

  /**
   * Client certificate.
   * @default - none: login by password alone
   */
  readonly clientCertificate?: TlsCertificate;
}

/** Options of {@link PostgresTls.verifyFull}. */
export interface FullyVerifiedTlsOptions {
  /**
   * Certificate of the CA that signed the server's certificate, PEM.
   * @default - the CAs that MLflow's image trusts, and `trustedCa` of ClusterSettings. For databases with a certificate of a
   * public CA, or of a CA that the cluster trusts
   */
  readonly ca?: FileSource;

  /**
   * Client certificate.
   * @default - none: login by password alone
   */
  readonly clientCertificate?: TlsCertificate;
}

/**
 * Encryption of the connection to PostgreSQL: libpq's `sslmode`.
 *
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export class PostgresTls {
  /** Never encrypt. Choose it if a sidecar or a service mesh encrypts the connection. */
  public static readonly DISABLE = new PostgresTls('disable');

  /** Encrypt if the server supports it. The default in the cluster, where servers often have no certificate. */
  public static readonly PREFER = new PostgresTls('prefer');

  /** Always encrypt, with any certificate. The default outside the cluster: it stops eavesdroppers, not impostors. */
  public static readonly REQUIRE = new PostgresTls('require');

  /** Always encrypt, with a certificate that the CA signed. Choose it if the certificate is for another host name. */
  public static verifyCa(options: VerifiedTlsOptions): PostgresTls {
    return new PostgresTls('verify-ca', options.ca, options.clientCertificate);
  }

  /** Always encrypt, with a certificate that the CA signed for the host name. The safest mode: choose it for production. */
  public static verifyFull(options: FullyVerifiedTlsOptions = {}): PostgresTls {
    return new PostgresTls('verify-full', options.ca, options.clientCertificate);
  }

  private constructor(
    /** Value of libpq's `sslmode`. */
    public readonly mode: string,
    /** Certificate of the CA, if it is verified. Without one, `verify-full` takes the CAs of the system. */
    public readonly ca?: FileSource,
    /** Client certificate, if there is one. */
    public readonly clientCertificate?: TlsCertificate,
  ) {}

  /** Whether the server's certificate must be of a CA that the system trusts. @internal */
  public get _usesSystemCa(): boolean {
    return this.mode === 'verify-full' && this.ca === undefined;
  }

  /** @internal */
  public _check(problems: Problems): void {
    this.ca?._check(problems, 'tls.ca');
    this.clientCertificate?._check(problems, 'tls.clientCertificate');
  }
}
