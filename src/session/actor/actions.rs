//! What an agent does in the customer's page: allowed here, under way until the customer's browser has answered.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::Session;
use crate::protocol::agent::{Answer, ToAgent};
use crate::protocol::typing::Place;
use crate::protocol::{Action, Mode, Phase, Refusal};
use crate::session::audience::Audience;
use crate::session::doing;
use crate::session::link::FeedItem;
use crate::session::registry::short;

/// Actions that may be under way at one time.
const ACTIONS: usize = 64;
/// So many answers are kept for an agent who misses some.
const ANSWERS: usize = 4 * ACTIONS;

impl Session {
    /// The one way by which anything is done in a customer's page.
    pub(super) fn act(
        &mut self,
        connection: u64,
        seq: u32,
        epoch: u32,
        action: Action,
    ) -> Result<(), Refusal> {
        if self.life.phase() != Phase::Active {
            return Err(Refusal::NotActive);
        }
        if self.life.mode().0 != Mode::Write {
            return Err(Refusal::PointerMode);
        }
        let near = self.tabs.current().map(|tab| tab.near.clone()).ok_or(Refusal::CustomerAway)?;
        if self.pending.len() >= ACTIONS {
            return Err(Refusal::TooMany);
        }
        let audience = self.role.and_then(|role| self.audiences.get(role));
        let (Some(tree), Some(audience)) = (self.page.tree(), audience) else {
            return Err(Refusal::CustomerAway);
        };
        // Each page numbers its nodes anew: what the agent has not seen, and what is not judged yet, is not aimed at.
        if action.is_aimed() && (self.page.is_awaited() || !audience.is_at(epoch)) {
            return Err(Refusal::Gone);
        }
        let permit = audience.masker().permit(tree, action, &near)?;
        // To scroll brings nothing.
        if !matches!(permit.action(), Action::Scroll { .. }) {
            self.doing.agent(doing::Action { connection, seq }, Instant::now());
        }
        let number = self.next_act();
        self.pending.insert(number, (connection, seq));
        self.send_act(number, permit);
        Ok(())
    }

    pub(super) fn next_act(&mut self) -> u32 {
        self.acts = self.acts.wrapping_add(1);
        self.acts
    }

    /// The customer's browser has done it, or has not.
    pub(super) fn acted(&mut self, seq: u32, refused: Option<Refusal>, at: Option<Place>) {
        let Some((connection, seq)) = self.pending.remove(&seq) else { return };
        match refused {
            Some(reason) => self.answer(connection, seq, reason),
            None => self.done(connection, seq, at),
        }
    }

    /// Something that an action led to later was kept from happening.
    pub(super) fn stopped(&mut self, reason: Refusal) {
        if let Some(agent) = self.agent.as_ref().filter(|agent| agent.present) {
            self.answer(agent.connection, 0, reason);
        }
    }

    /// It was done. Where the caret is then is told where the agent sees it.
    pub(super) fn done(&mut self, connection: u64, seq: u32, at: Option<Place>) {
        self.remember(connection, Answer { seq, reason: None, at });
        let event = ToAgent::Done { seq, at: self.seen(at) };
        self.audiences.tell(FeedItem::One { connection, event: event.into() });
    }

    /// A place, if the agent sees it now.
    pub(super) fn seen(&self, at: Option<Place>) -> Option<Place> {
        let masker = self.role.and_then(|role| self.audiences.get(role)).map(Audience::masker);
        at.filter(|place| {
            self.page.tree().zip(masker).is_some_and(|(tree, masker)| masker.shows(tree, place.node))
        })
    }

    fn remember(&mut self, connection: u64, answer: Answer) {
        let Some(agent) = self.agent.as_mut().filter(|agent| agent.connection == connection) else { return };
        if agent.answers.len() >= ANSWERS {
            agent.answers.pop_front();
        }
        agent.answers.push_back(answer);
    }

    /// Whether the customer's browser may save what an address brings. The agent is told when it may not.
    pub(super) fn saves(&mut self, url: &Url) -> bool {
        let Some(cause) = self.doing.cause(Instant::now()) else { return true };
        let audience = self.role.and_then(|role| self.audiences.get(role));
        let may = self.page.tree().zip(audience);
        let may = may.is_some_and(|(tree, audience)| audience.masker().may_save(tree, url));
        if !may {
            self.answer(cause.connection, cause.seq, Refusal::NeedsCustomer);
        }
        may
    }

    pub(super) fn answer(&mut self, connection: u64, seq: u32, reason: Refusal) {
        // Nothing was refused: the page has taken it for itself.
        if reason != Refusal::Prevented {
            tracing::info!(session = %short(&self.id), ?reason, "an agent's action was refused");
            self.shared.metrics.refused(reason);
        }
        self.remember(connection, Answer { seq, reason: Some(reason), at: None });
        self.audiences.tell(FeedItem::One { connection, event: Arc::new(ToAgent::Refused { seq, reason }) });
    }
}
