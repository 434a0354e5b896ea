//! Tokens that open the console without a password: a contact centre's own system signs one (JWT, RFC 7519) for an
//! agent who is logged in there.
//!
//! A token counts once at most where it has an ID, never after its expiry, and never for more than its claims say.

mod keys;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jsonwebtoken::{Algorithm, Validation, decode, decode_header, get_current_timestamp};
use serde::Deserialize;

use self::keys::Keys;
pub use self::keys::Source;
use crate::protocol::SessionId;
use crate::protocol::agent::{Me, Role};

/// Bytes of a token.
const LONGEST: usize = 8 << 10;
/// Seconds by which the two clocks may differ.
const LEEWAY: u64 = 30;
/// Token IDs that are remembered until they expire.
const REMEMBERED: usize = 100_000;
/// Characters of a display name.
const NAME: usize = 64;

/// Whose tokens are believed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What `aud` has to name.
    pub audience: String,
    /// What `iss` has to be.
    pub issuer: Option<String>,
    /// The keys that sign.
    pub keys: Source,
    /// Roles that a token can give.
    pub roles: Vec<Role>,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Admitted {
    pub(super) me: Me,
    /// The one session that it is for; without one, it is as good as a login.
    pub(super) session: Option<SessionId>,
}

/// Why a token opens nothing. The details go to the log, not to who shows it.
#[derive(Debug, thiserror::Error)]
#[allow(private_interfaces)] // Only its text is of use above.
pub(super) enum Error {
    #[error("it is longer than {LONGEST} bytes")]
    Length,
    #[error("its algorithm is none of RS256, ES256 and EdDSA")]
    Algorithm,
    #[error("no key of ours has signed it: {0}")]
    Keys(#[from] keys::Error),
    #[error("it is not in order: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("it names no agent")]
    Name,
    #[error("a token can not give the role {0:?}")]
    Role(Role),
    #[error("its session is no session ID")]
    Session,
    #[error("it was used before")]
    Used,
}

/// RFC 7519 section 4.1, and three of ours.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    jti: Option<String>,
    /// Shown to customers in place of `sub`.
    name: Option<String>,
    role: Option<Role>,
    session: Option<String>,
}

/// Checks tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    settings: Settings,
    keys: Keys,
    /// IDs of tokens that were used → when they expire, in seconds since 1970.
    used: Mutex<HashMap<String, u64>>,
}

impl Tokens {
    pub(super) fn new(settings: Settings) -> Tokens {
        Tokens { keys: Keys::new(settings.keys.clone()), settings, used: Mutex::default() }
    }

    /// Whom a token lets in.
    pub(super) async fn admit(&self, token: &str) -> Result<Admitted, Error> {
        if token.len() > LONGEST {
            return Err(Error::Length);
        }
        let header = decode_header(token)?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA) {
            return Err(Error::Algorithm);
        }
        let validation = self.validation(header.alg);
        let mut last = None;
        for key in self.keys.matching(header.alg, header.kid.as_deref()).await? {
            match decode::<Claims>(token, &key, &validation) {
                Ok(token) => return self.accept(token.claims),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or(Error::Keys(keys::Error::Unknown), Error::Token))
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.settings.audience]);
        match &self.settings.issuer {
            Some(issuer) => {
                validation.set_issuer(&[issuer]);
                validation.set_required_spec_claims(&["exp", "aud", "sub", "iss"]);
            }
            None => validation.set_required_spec_claims(&["exp", "aud", "sub"]),
        }
        validation
    }

    fn accept(&self, claims: Claims) -> Result<Admitted, Error> {
        let name: String = claims.name.unwrap_or(claims.sub).trim().chars().take(NAME).collect();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Error::Name);
        }
        let role = claims.role.unwrap_or(Role::Agent);
        if !self.settings.roles.contains(&role) {
            return Err(Error::Role(role));
        }
        let session = claims.session.map(|id| id.parse().map_err(|_| Error::Session)).transpose()?;
        if let Some(id) = claims.jti {
            self.once(id, claims.exp)?;
        }
        Ok(Admitted { me: Me { name, role }, session })
    }

    fn once(&self, id: String, expires: u64) -> Result<(), Error> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= REMEMBERED {
            let now = get_current_timestamp().saturating_sub(LEEWAY);
            used.retain(|_, expires| *expires >= now);
        }
        // Full of tokens that have not expired: nobody can tell whether this one was used.
        if used.len() >= REMEMBERED || used.insert(id, expires).is_some() {
            return Err(Error::Used);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
