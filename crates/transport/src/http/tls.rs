//! The certificates that a connection trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::BuildError;

/// The TLS of every connection, with these roots in addition to the built-in ones. Verification cannot be turned off.
pub(super) fn config(root_pems: &[Vec<u8>]) -> Result<ClientConfig, BuildError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in root_pems {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| BuildError::RootPem)?;
            roots.add(certificate).map_err(|_| BuildError::RootPem)?;
        }
        if roots.len() == before {
            return Err(BuildError::RootPem);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| BuildError::Client)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_must_be_certificates() {
        let empty_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for pem in ["", "no certificate", empty_certificate, key] {
            assert_eq!(config(&[pem.into()]).err(), Some(BuildError::RootPem), "{pem:?}");
        }
    }
}
