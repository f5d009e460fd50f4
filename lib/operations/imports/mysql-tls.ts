import type { FileSource } from '../../kube/values/file-source';
import type { Problems } from '../../validation/problems';

/** Options of {@link MySqlTls.verifyFull}. */
export interface MySqlVerifiedTlsOptions {
  /**
   * Certificate of the CA that signed the server's certificate, PEM.
   * @default - the CAs that MLflow's image trusts, and `trustedCa` of ClusterSettings
   */
  readonly ca?: FileSource;
}

/** Encryption of the connection to a MySQL or MariaDB server. */
export class MySqlTls {
  /** Never encrypt. Choose it for a server in the cluster that has no certificate. */
  public static readonly DISABLE = new MySqlTls('disable');

  /** Always encrypt, with any certificate. It stops eavesdroppers, not impostors. */
  public static readonly REQUIRE = new MySqlTls('require');

  /** Always encrypt, with a certificate that the CA signed for the host name. The safest mode. */
  public static verifyFull(options: MySqlVerifiedTlsOptions = {}): MySqlTls {
    return new MySqlTls('verify-full', options.ca);
  }

  private constructor(
    /** The mode, as the import takes it: `disable`, `require` or `verify-full`. */
    public readonly mode: string,
    /** Certificate of the CA, if it is not one that the image trusts. */
    public readonly ca?: FileSource,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    this.ca?._check(problems, 'tls.ca');
  }
}
