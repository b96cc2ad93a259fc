/** Keys and checks of one kind of token, named as in the configuration. "" and 0 switch a check off. */
export interface TokenSection {
  readonly hmac_secret_key: string;
  readonly hmac_previous_secret_key: string;
  /** Unix seconds; 0: as long as the key is configured. */
  readonly hmac_previous_secret_key_valid_until: number;
  /** PEM text, base64 of it, or the path of a file that holds it; likewise the ECDSA key. */
  readonly rsa_public_key: string;
  readonly ecdsa_public_key: string;
  /** Keys are fetched from there, and those above do not count. */
  readonly jwks_public_endpoint: string;
  readonly audience: string;
  /** RE2 syntax; likewise the issuer's. */
  readonly audience_regex: string;
  readonly issuer: string;
  readonly issuer_regex: string;
  /** The claim that names the user, instead of `sub`. */
  readonly user_id_claim: string;
  /** Whatever a named group holds may stand in `jwks_public_endpoint`. */
  readonly insecure_skip_jwks_endpoint_safety_check: boolean;
}

/** Those parts of the section `client` that are about tokens. */
export interface TokenOptions {
  readonly token: TokenSection;
  /** Takes the place of `token` for subscription tokens where it is enabled. */
  readonly subscription_token: TokenSection & { readonly enabled: boolean };
  readonly insecure_skip_token_signature_verify: boolean;
}
