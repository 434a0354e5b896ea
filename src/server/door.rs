//! Who is let in to sessions by the console's logins.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;

use crate::console::{Console, Pass};
use crate::protocol::SessionId;
use crate::protocol::agent::{Me, ProblemKind};
use crate::sync::agent::{Door, Guest, Refused};

pub(super) struct ConsoleDoor(pub(super) Arc<Console>);

impl Door for ConsoleDoor {
    fn admit(&self, headers: &HeaderMap, address: IpAddr, id: &SessionId) -> Result<Guest, Refused> {
        match self.0.admit(headers, address, id) {
            Ok(Pass { me, revoked }) => Ok(Guest { me, revoked }),
            Err(ProblemKind::TooManyTries) => Err(Refused::TooManyTries),
            Err(_) => Err(Refused::LoginNeeded),
        }
    }

    fn guessed_wrong(&self, me: &Me, address: IpAddr) {
        self.0.guessed_wrong(me, address);
    }
}
